// A movie's poster: TMDB's, or one that is drawn from its title and genres, always the same for the same movie.
import { html, useState } from './preact.js';
import { MOTIFS } from './motifs.js';
import { yearOf } from './words.js';

// Hue and saturation of each genre, most telling genre first: it chooses the motif.
const GENRES = {
  Western: [24, 62],
  War: [70, 18],
  Horror: [356, 68],
  'Science Fiction': [205, 72],
  Music: [318, 60],
  Romance: [344, 62],
  Animation: [186, 60],
  Fantasy: [276, 52],
  Mystery: [238, 46],
  Crime: [218, 22],
  History: [36, 44],
  Documentary: [158, 38],
  Family: [96, 42],
  Comedy: [44, 74],
  Adventure: [30, 66],
  Thriller: [172, 46],
  Action: [12, 72],
  Drama: [256, 34],
  'TV Movie': [196, 24],
};

// The genres of TMDB, which the catalogue has.
export const GENRE_NAMES = Object.keys(GENRES);

// A small generator of numbers from 0 to 1 that a text decides (mulberry32 of its FNV-1a hash).
function generator(text) {
  let state = 2166136261;
  for (const character of text) state = Math.imul(state ^ character.codePointAt(0), 16777619);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

export function colorsOf({ title, genres = [] }) {
  return designOf({ title, genres }).colors;
}

function designOf({ title, genres = [] }) {
  const random = generator(title);
  const known = Object.keys(GENRES).filter((genre) => genres.includes(genre));
  // Movies of the same kind stand beside each other: now and then the second genre gives the drawing.
  if (known.length > 1 && random() < 0.4) known.unshift(...known.splice(1, 1));
  const [first = 'Drama', second = first] = known;
  const turn = random() * 36 - 18;
  const [hue, saturation] = GENRES[first];
  const colors = {
    '--hue': Math.round(hue + turn),
    '--hue-2': Math.round(GENRES[second][0] + turn * 2 + (first === second ? 40 : 0)),
    '--saturation': `${saturation}%`,
  };
  return { colors, drawing: MOTIFS[first](random) };
}

function Drawn({ movie, title }) {
  const { colors, drawing } = designOf(movie);
  const longest = Math.max(...movie.title.split(/\s+/).map((word) => word.length));
  const size =
    movie.title.length > 30 || longest > 13 ? 'small' : movie.title.length > 12 || longest > 9 ? 'medium' : 'large';
  return html`<div class="drawn" style=${colors} aria-hidden="true">
    <svg viewBox="0 0 200 300" preserveAspectRatio="xMidYMid slice">${drawing}</svg>
    ${title && html`<span class=${`drawn-title ${size}`}>${movie.title}</span><span class="drawn-year">${yearOf(movie)}</span>`}
  </div>`;
}

// The title is said beside the poster, so that it is silent itself. `title=${false}` leaves it out of the drawing too.
export function Poster({ movie, title = true }) {
  const [broken, setBroken] = useState(false);
  return html`<div class="poster">
    ${
      movie.poster_url && !broken
        ? html`<img src=${movie.poster_url} alt="" width="500" height="750" loading="lazy" decoding="async"
          onError=${() => setBroken(true)} />`
        : html`<${Drawn} movie=${movie} title=${title} />`
    }
  </div>`;
}
