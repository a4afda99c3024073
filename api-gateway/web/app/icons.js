// Icons, drawn in the colour of the text around them. Silent: what they stand on has a name.
import { html } from './preact.js';

const SHAPES = {
  search: 'M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13zM15.5 15.5L20 20',
  heart: 'M12 20S4 15 4 9a4 4 0 0 1 8-1 4 4 0 0 1 8 1c0 6-8 11-8 11z',
  down: 'M7 4v9H4V4zM7 12l4 8c2 0 2.5-1.5 2-3l-.7-3H18a2 2 0 0 0 2-2.400l-1-6A2 2 0 0 0 17 4H7',
  bookmark: 'M7 4h10v16l-5-4-5 4z',
  eye: 'M2.500 12S6 5.500 12 5.500 21.500 12 21.500 12 18 18.500 12 18.500 2.500 12 2.500 12zM12 9a3 3 0 1 0 0 6 3 3 0 0 0 0-6z',
  star: 'M12 3.500l2.600 5.400 5.900.8-4.300 4.100 1 5.900L12 16.900l-5.200 2.800 1-5.900-4.300-4.100 5.900-.8z',
  people:
    'M9 5a3.500 3.500 0 1 0 0 7 3.500 3.500 0 0 0 0-7zM2.500 20c0-3.500 2.900-5.500 6.500-5.500s6.500 2 6.500 5.500M15.500 5.300a3.500 3.500 0 0 1 0 6.400M18 15c2.200.7 3.500 2.400 3.500 5',
  compass: 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM15.500 8.500l-2 5-5 2 2-5z',
  list: 'M4 6h16M4 12h16M4 18h10',
  pulse: 'M3 12h4l3-7 4 14 3-7h4',
  lock: 'M6 11h12v9H6zM8.500 11V8a3.500 3.500 0 0 1 7 0v3',
  close: 'M6 6l12 12M18 6L6 18',
};

export const Icon = ({ name }) =>
  html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true"><path d=${SHAPES[name]} /></svg>`;
