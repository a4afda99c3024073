// For you: the recommendations of a person, why each one is there, and what changes them.
import { html, useEffect, useLayoutEffect, useMemo, useState } from '../preact.js';
import { Heart } from '../card.js';
import { General, Trouble } from '../failure.js';
import { Icon } from '../icons.js';
import { useAction, useDebounced, useLoad } from '../load.js';
import { mark } from '../marking.js';
import { notify } from '../notice.js';
import { askWho, Initial } from '../people.js';
import { Poster } from '../poster.js';
import { Preferences, usePreferences } from '../preferences.js';
import { ask, compare, known, learn, reweigh } from '../recommendations.js';
import { replace } from '../route.js';
import { useReorder } from '../reorder.js';
import { Explanation, ruleName, ScoreBar } from '../rules.js';
import { changes, choose, findPerson, forget, people, person } from '../session.js';
import { capital, count, listOf, yearOf } from '../words.js';

// What changed, in a sentence.
function sentenceOf({ entered, left, moves }) {
  const up = [...moves.values()].filter((places) => places > 0).length;
  const down = [...moves.values()].filter((places) => places < 0).length;
  const some = (movies) =>
    listOf([
      ...movies.slice(0, 2).map(({ title }) => title),
      ...(movies.length > 2 ? [`${movies.length - 2} more`] : []),
    ]);
  const parts = [
    entered.length && `${some(entered)} came in`,
    left.length && `${some(left)} left`,
    up && `${up} moved up`,
    down && `${down} moved down`,
  ];
  return parts.filter(Boolean).join('; ') || 'nothing moved';
}

function Slider({ rule, name, value, usual, max, step, onChange }) {
  return html`<label class="slider"><span>${rule && html`<i class=${`dot rule-${rule}`}></i>`}${name}</span><span
    class="value">${value.toFixed(2)}${value !== usual && html`<span class="quiet"> (usually ${usual})</span>`}</span>
    <input type="range" min="0" max=${max} step=${step} value=${value}
      onInput=${(event) => onChange(Number(event.target.value))} /></label>`;
}

// On a phone the list comes first.
const isWide = matchMedia('(min-width: 60.01rem)').matches;

function Weights({ usual, weights, diversity, onWeights, onDiversity }) {
  const changed = diversity > 0 || Object.keys(weights).length > 0;
  const reset = () => {
    onWeights({});
    onDiversity(0);
  };
  const slider = ([rule, weight]) => html`<${Slider} key=${rule} rule=${rule} name=${ruleName(rule)} usual=${weight}
    value=${weights[rule] ?? weight} max=${Math.max(1, weight * 2)} step=${weight > 2 ? 0.5 : 0.05}
    onChange=${(value) => onWeights({ ...weights, [rule]: value })} />`;
  return html`<details class="panel weights" open=${isWide}><summary><h2>What counts</h2></summary>
    ${Object.entries(usual).map(slider)}
    <${Slider} name="Variety" value=${diversity} usual=${0} max="1" step="0.05" onChange=${onDiversity} />
    <button type="button" disabled=${!changed} onClick=${reset}>As usual</button></details>`;
}

function Move({ places }) {
  if (places === undefined || places === 0) return html`<span class="move"></span>`;
  if (places === null) return html`<span class="move new">new</span>`;
  const word = places > 0 ? 'up' : 'down';
  return html`<span class=${`move ${word}`}
    aria-label=${`${word} ${count(Math.abs(places), 'place')}`}>${places > 0 ? '▲' : '▼'} ${Math.abs(places)}</span>`;
}

function Row({ movie, place, move, highest, list }) {
  const dislike = useAction(() => mark(movie, 'dislike', { list }));
  const watched = useAction(() => mark(movie, 'watched', { list }));
  const [open, setOpen] = useState(false);
  return html`<li class="rank" data-key=${movie.id}><span class="place" aria-hidden="true">${place}</span>
    <a class="thumb" href=${`#/movie/${movie.id}`} tabindex="-1" aria-hidden="true"><${Poster} movie=${movie} title=${false} />
      </a>
    <div class="rank-body"><h2><a href=${`#/movie/${movie.id}`}>${movie.title}
      </a> <small>${[yearOf(movie), ...movie.genres].filter(Boolean).join(' · ')}</small></h2>
      <p class="reason">${capital(movie.reason)}${movie.watchlisted ? ' · on your watchlist' : ''}</p><${ScoreBar} movie=${movie}
        highest=${highest} />
      <button type="button" class="bare why" aria-expanded=${open}
        onClick=${() => setOpen(!open)}>${open ? 'Hide the numbers' : 'Why?'}</button>
      ${open && html`<${Explanation} movie=${movie} />`}
      <${Trouble} failure=${dislike.failure ?? watched.failure} retry=${dislike.failure ? dislike.retry : watched.retry} /></div>
    <div class="rank-end"><strong>${movie.score.toFixed(2)}</strong><${Move} places=${move} />
      <div class="rank-actions"><${Heart} movie=${movie} list=${list} />
        <button type="button" class="heart" aria-label=${`Not for me: ${movie.title}`} disabled=${dislike.busy}
          onClick=${() => dislike.run()}><${Icon} name="down" /></button>
        <button type="button" class="heart" aria-label=${`Watched: ${movie.title}`} disabled=${watched.busy}
          onClick=${() => watched.run()}><${Icon} name="eye" /></button></div></div></li>`;
}

// What changed when a list came, or what had changed before if it is the same list.
function changeTo(list, before) {
  if (!before.list) return null;
  if (before.list.recommendation_id === list.recommendation_id) return before.change;
  return compare(before.list.recommendations, list.recommendations);
}

// The list as the service made it, and what changed when it came.
function useList(id, weights, diversity) {
  const asked = useDebounced(JSON.stringify([weights, diversity]), 250);
  const change = changes.use();
  const load = useLoad(
    async (signal) => {
      const [wanted, variety] = JSON.parse(asked);
      const rules = Object.entries(wanted)
        .map(([rule, weight]) => `${rule}:${weight}`)
        .join(',');
      const list = await ask(id, { weights: rules, diversity: variety || '' }, signal);
      if (!rules && !variety) learn(id, list);
      return { list, asked };
    },
    [id, asked, change],
  );
  const first = known.get().of === id ? known.get() : null;
  const [shown, setShown] = useState({ list: first?.list ?? null, change: first?.change ?? null, asked: '[{},0]' });
  useEffect(() => {
    if (!load.data) return;
    setShown((before) => ({ ...load.data, change: changeTo(load.data.list, before) }));
  }, [load.data]);
  return { ...load, shown };
}

// The usual weight of each rule, as lists without other weights say.
function useUsual(list, weights) {
  const [usual, setUsual] = useState({});
  useLayoutEffect(() => {
    const explanation = list?.recommendations[0]?.explanation ?? [];
    const found = explanation.filter(({ rule }) => !(rule in weights)).map(({ rule, weight }) => [rule, weight]);
    setUsual((before) => ({ ...before, ...Object.fromEntries(found) }));
  }, [list]);
  return usual;
}

function List({ id, name }) {
  const [weights, setWeights] = useState({});
  const [diversity, setDiversity] = useState(0);
  const { shown, failure, retry } = useList(id, weights, diversity);
  const { list } = shown;
  const preferences = usePreferences(id);
  useEffect(() => {
    if (failure?.kind !== 'missing') return;
    notify(`The platform does not know ${name} any more.`);
    forget(id);
  }, [failure]);
  const usual = useUsual(list, weights);
  const isAhead = JSON.stringify([weights, diversity]) !== shown.asked;
  const rows = useMemo(() => {
    if (!list) return [];
    return isAhead && diversity === 0 ? reweigh(list.recommendations, { ...usual, ...weights }) : list.recommendations;
  }, [list, isAhead, weights, diversity]);
  const change = isAhead && list ? compare(list.recommendations, rows) : shown.change;
  const rank = useReorder(rows);
  const highest = Math.max(
    0.001,
    ...rows.map(({ explanation }) => explanation.reduce((sum, { contribution }) => sum + Math.max(0, contribution), 0)),
  );
  // At once, so that nothing is pushed away by what comes later.
  if (!(list || failure) || !(preferences.data || preferences.failure)) return null;
  return html`<div class="for-you"><aside class="side"><${Preferences} id=${id} load=${preferences} />
      <${Weights} usual=${usual} weights=${weights} diversity=${diversity} onWeights=${setWeights} onDiversity=${setDiversity} />
        </aside>
    <section aria-label=${`Recommended to ${name}`}><p class="change"
      role="status">${change ? html`<strong>What changed:</strong> ${sentenceOf(change)}.` : list ? 'Like a movie, or move a slider, and see what changes.' : ' '}
      </p>
      <${General} list=${list} retry=${retry} />
      <${Trouble} failure=${failure} retry=${retry} />
      <ol class="ranking" ref=${rank} aria-busy=${isAhead}>${rows.map(
        (movie, index) => html`<${Row} key=${movie.id} movie=${movie} place=${index + 1}
        move=${change?.moves.get(movie.id)} highest=${highest} list=${list.recommendation_id} />`,
      )}</ol>
      ${list && rows.length === 0 && html`<p class="empty">Nothing is left that fits. Fewer preferences find more.</p>`}</section>
        </div>`;
}

function Nobody() {
  const everybody = people.use();
  return html`<section class="welcome"><h1>For you</h1>
    <p>Say who you are, and the whole catalogue is put in order for you, with the reasons.</p>
    <div class="faces">${everybody.map((someone) => html`<button key=${someone.id} type="button" onClick=${() => choose(someone)}>
      <${Initial} someone=${someone} />${someone.username}</button>`)}
      <button type="button" class="primary" onClick=${askWho}>Somebody else ...</button></div></section>`;
}

// A link may say who it is for: `?person=1`.
export function ForYou({ search }) {
  const chosen = person.use();
  const wanted = search.get('person');
  const { failure, retry } = useLoad(async () => {
    if (!wanted) return;
    choose(await findPerson(wanted));
    replace('#/for-you');
  }, [wanted]);
  if (wanted) return html`<${Trouble} failure=${failure} retry=${retry} />`;
  if (!chosen) return html`<${Nobody} />`;
  return html`<h1>For ${chosen.username}</h1><${List} key=${chosen.id} id=${chosen.id} name=${chosen.username} />`;
}
