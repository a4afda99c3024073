// Together: one list for several people, and who would like what.
import { html } from '../preact.js';
import { call, query } from '../api.js';
import { General, Trouble } from '../failure.js';
import { useLoad } from '../load.js';
import { askFor, Initial } from '../people.js';
import { Poster } from '../poster.js';
import { useReorder } from '../reorder.js';
import { hrefOf, replace } from '../route.js';
import { changes, findPerson, people } from '../session.js';
import { listOf, yearOf } from '../words.js';

const WAYS = [
  ['average', 'Fair', 'the average of all'],
  ['least_misery', 'Nobody suffers', 'what the least pleased one thinks'],
  ['most_pleasure', 'A treat for one', 'what the most pleased one thinks'],
];

// Who would like it most, when somebody stands out.
function favouriteOf(members, names) {
  const sorted = [...members].sort((a, b) => b.score - a.score);
  if (sorted.length < 2 || sorted[0].score - sorted.at(-1).score < 0.05) return 'All about the same';
  return `Most for ${names.get(sorted[0].user_id)}, least for ${names.get(sorted.at(-1).user_id)}`;
}

function Member({ someone, score, highest }) {
  return html`<li><${Initial} someone=${someone} /><span class="member-name">${someone.username}</span>
    <span class="bar" aria-hidden="true"><span
      style=${{ width: `${Math.max(0, score / highest) * 100}%`, '--hue': (someone.id * 67) % 360 }}></span></span><span
      class="member-score">${score.toFixed(2)}</span></li>`;
}

function Row({ movie, place, everybody, highest }) {
  const names = new Map(everybody.map(({ id, username }) => [id, username]));
  return html`<li class="rank" data-key=${movie.id}><span class="place" aria-hidden="true">${place}</span>
    <a class="thumb" href=${`#/movie/${movie.id}`} tabindex="-1" aria-hidden="true"><${Poster} movie=${movie} title=${false} />
      </a>
    <div class="rank-body"><h2><a href=${`#/movie/${movie.id}`}>${movie.title}
      </a> <small>${[yearOf(movie), ...movie.genres].filter(Boolean).join(' · ')}</small></h2>
      <p class="reason">${favouriteOf(movie.members, names)}${movie.on_all_watchlists ? ' · on the watchlists of all' : ''}</p>
      <ul class="members">${movie.members.map(({ user_id: id, score }) => html`<${Member} key=${id} score=${score}
        highest=${highest} someone=${{ id, username: names.get(id) ?? `Person ${id}` }} />`)}</ul></div>
    <div class="rank-end"><strong>${movie.score.toFixed(2)}</strong></div></li>`;
}

// Names of people whom a link mentions and this browser does not know.
function useNames(ids) {
  return useLoad(async () => {
    for (const id of ids) if (!people.get().some((someone) => someone.id === id)) await findPerson(id);
  }, [ids.join()]);
}

function Choose({ everybody, chosen, way, change }) {
  const toggle = (id) =>
    change({ users: (chosen.includes(id) ? chosen.filter((other) => other !== id) : [...chosen, id]).join() });
  const add = async () => {
    const someone = await askFor('Who else is there?', 'Everybody counts the same.');
    if (someone && !chosen.includes(someone.id)) change({ users: [...chosen, someone.id].join() });
  };
  return html`<div class="together-choice"><div class="faces" role="group" aria-label="Who is there tonight">${everybody.map(
    (someone) => html`<button key=${someone.id} type="button" aria-pressed=${chosen.includes(someone.id)}
      onClick=${() => toggle(someone.id)}><${Initial} someone=${someone} />${someone.username}</button>`,
  )}<button type="button" class="plus" onClick=${add}>Somebody else ...</button></div>
    <fieldset class="ways"><legend>What decides</legend>${WAYS.map(
      ([
        value,
        name,
        hint,
      ]) => html`<label key=${value}><input type="radio" name="way" value=${value} checked=${value === way}
        onChange=${() => change({ by: value })} />
      <span><strong>${name}</strong><small>${hint}</small></span></label>`,
    )}</fieldset></div>`;
}

function Evening({ ids, way, everybody }) {
  const change = changes.use();
  const { data, failure, retry } = useLoad(
    (signal) => call(`/recommendations/group${query({ users: ids.join(), strategy: way, limit: 12 })}`, { signal }),
    [ids.join(), way, change],
  );
  const rows = data?.recommendations ?? [];
  const rank = useReorder(rows);
  const highest = Math.max(0.001, ...rows.flatMap(({ members }) => members.map(({ score }) => score)));
  return html`<${Trouble} failure=${failure} retry=${retry} /><${General} list=${data} retry=${retry} />
    <ol class="ranking" ref=${rank} aria-label="For the evening">${rows.map((movie, index) => html`<${Row} key=${movie.id}
      movie=${movie} place=${index + 1} everybody=${everybody} highest=${highest} />`)}</ol>
    ${data && rows.length === 0 && html`<p
      class="empty">Nothing is left that nobody has seen and everybody's minimum rating allows.</p>`}`;
}

export function Together({ search }) {
  const everybody = people.use();
  const ids = (search.get('users') ?? '')
    .split(',')
    .map(Number)
    .filter((id) => id > 0);
  const way = search.get('by') ?? 'average';
  const { loading } = useNames(ids);
  if (loading && ids.some((id) => !everybody.some((someone) => someone.id === id))) return html`<h1>Together</h1>`;
  const names = everybody.filter(({ id }) => ids.includes(id)).map(({ username }) => username);
  const change = (values) => replace(hrefOf('together', { users: ids.join(), by: way, ...values }));
  return html`<h1>${names.length > 1 ? `For ${listOf(names)}` : 'Together'}</h1>
    <${Choose} everybody=${everybody} chosen=${ids} way=${way} change=${change} />
    ${ids.length > 1 ? html`<${Evening} ids=${ids} way=${way} everybody=${everybody} />` : html`<p class="empty"
      role="status">${everybody.length < 2 ? 'Add two people, and see what they would watch together.' : 'Choose at least two people.'}
      </p>`}`;
}
