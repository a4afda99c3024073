// The page around the views: head, navigation, and the view that the address names.
import { html, render, useEffect, useRef } from './preact.js';
import { token } from './api.js';
import { Icon } from './icons.js';
import { loadMarks, person } from './session.js';
import { Notice } from './notice.js';
import { PeopleDialog, PersonButton } from './people.js';
import { route } from './route.js';
import { TokenForm } from './failure.js';
import { Catalogue } from './views/catalogue.js';
import { Discover } from './views/discover.js';
import { ForYou } from './views/for-you.js';
import { Movie } from './views/movie.js';
import { Status } from './views/status.js';
import { Together } from './views/together.js';

const VIEWS = {
  discover: { name: 'Discover', icon: 'compass', component: Discover },
  'for-you': { name: 'For you', icon: 'heart', component: ForYou },
  together: { name: 'Together', icon: 'people', component: Together },
  catalogue: { name: 'Catalogue', icon: 'list', component: Catalogue },
  status: { name: 'Status', icon: 'pulse', component: Status },
  movie: { name: 'Movie', component: Movie },
};

function Navigation({ current }) {
  const shown = Object.entries(VIEWS).filter(([, { icon }]) => icon);
  return html`<nav aria-label="Main"><ul>${shown.map(
    ([view, { name, icon }]) => html`<li key=${view}>
    <a href=${`#/${view}`} aria-current=${view === current ? 'page' : null}><${Icon} name=${icon} /><span>${name}</span></a>
      </li>`,
  )}</ul></nav>`;
}

function Page() {
  const { view, id, search } = route.use();
  const chosen = person.use();
  const allowed = Boolean(token.use());
  const main = useRef(null);
  const first = useRef(true);
  const { name, component: View } = VIEWS[view] ?? VIEWS.discover;
  useEffect(() => {
    document.title = `${name} · Movie Discovery`;
    // Where a screen reader goes on after a change of the view.
    if (!first.current) main.current.focus({ preventScroll: true });
    first.current = false;
  }, [view, id]);
  useEffect(() => {
    if (allowed) loadMarks().catch(() => null);
  }, [chosen?.id, allowed]);
  return html`<a class="skip" href="#main" onClick=${(event) => {
    event.preventDefault();
    main.current.focus();
  }}>Skip to the content</a>
    <header class="head"><a class="brand" href="#/discover"><span class="brand-mark" aria-hidden="true"></span>Movie Discovery</a>
      <${Navigation} current=${view in VIEWS ? view : 'discover'} /><${PersonButton} /></header>
    <main id="main" ref=${main} tabindex="-1" class=${`view-${view}`}>${allowed ? html`<${View} key=${id} id=${id}
      search=${search} />` : html`<${Welcome} />`}</main>
    <${Notice} /><${PeopleDialog} />`;
}

const Welcome = () => html`<section class="welcome"><h1>Find a movie for tonight</h1>
  <p>Search the catalogue, like what you like, and see what is recommended to you, and why.</p><${TokenForm} /></section>`;

render(html`<${Page} />`, document.getElementById('page'));
