// What the platform has to do: what changed between two looks at the counts, and otherwise what was counted since the start.
import { html } from './preact.js';
import { count } from './words.js';

// The value that this share of the requests does not exceed, in seconds, as Prometheus' histogram_quantile estimates it.
function quantile(share, durations) {
  const rank = share * (durations.at(-1)?.count ?? 0);
  const index = durations.findIndex((bucket) => bucket.count >= rank);
  if (rank === 0 || index < 0) return null;
  const { le, count: upTo } = durations[index];
  const { le: from, count: below } = durations[index - 1] ?? { le: 0, count: 0 };
  return le === null ? from : from + ((le - from) * (rank - below)) / (upTo - below);
}

const sinceThen = (now, then) =>
  now.map((bucket, index) => ({ le: bucket.le, count: bucket.count - (then[index]?.count ?? 0) }));

const duration = (seconds) =>
  seconds === null
    ? '–'
    : seconds < 0.01
      ? `${(seconds * 1000).toFixed(1)} ms`
      : seconds < 1
        ? `${Math.round(seconds * 1000)} ms`
        : `${seconds.toFixed(1)} s`;

function age(seconds) {
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  return `${Math.round(seconds / 3600)} h`;
}

const share = (part, whole) => (whole ? `${Math.round((part / whole) * 100)} %` : '–');

function Tile({ name, value, note }) {
  return html`<li class="panel tile"><span class="quiet">${name}</span><strong>${value}</strong><small class="quiet">${note}
    </small></li>`;
}

function requestsOf(now, then) {
  const { requests } = now.numbers;
  if (!requests) return [];
  const before = then?.numbers.requests;
  // After a restart the counts begin anew.
  const seconds = before && before.count <= requests.count ? (now.at - then.at) / 1000 : 0;
  const recent =
    seconds && requests.count > before.count ? sinceThen(requests.durations, before.durations) : requests.durations;
  const period = recent === requests.durations ? 'since the start' : 'in the last seconds';
  return [
    {
      name: 'Requests a second',
      value: seconds ? ((requests.count - before.count) / seconds).toFixed(1) : '–',
      note: `${count(requests.count, 'request')} since the start`,
    },
    { name: 'Median latency', value: duration(quantile(0.5, recent)), note: period },
    { name: '99 in 100 take at most', value: duration(quantile(0.99, recent)), note: period },
    {
      name: 'Failed',
      value: String(requests.failed),
      note: `of ${count(requests.count, 'request')}; ${requests.active} in flight`,
    },
  ];
}

function tilesOf(now, then) {
  const {
    rate_limit: limit,
    caches,
    catalogue_movies: movies,
    catalogue_age_seconds: catalogueAge,
    model_age_seconds: modelAge,
  } = now.numbers;
  const tiles = requestsOf(now, then);
  if (limit.allowed !== undefined)
    tiles.push({
      name: 'Refused by the rate limit',
      value: String(limit.refused ?? 0),
      note: `${count(limit.allowed, 'request')} allowed${limit.uncounted ? `, ${limit.uncounted} uncounted` : ''}`,
    });
  for (const [name, { hits, misses }] of Object.entries(caches))
    tiles.push({
      name: `Cache of ${name}`,
      value: share(hits, hits + misses),
      note: `${hits} of ${count(hits + misses, 'lookup')} found`,
    });
  if (movies !== undefined)
    tiles.push({
      name: 'Movies to recommend',
      value: movies.toLocaleString('en'),
      note: catalogueAge === undefined ? '' : `confirmed ${age(catalogueAge)} ago`,
    });
  if (modelAge !== undefined)
    tiles.push({ name: 'Age of the model', value: age(modelAge), note: 'since it was trained' });
  return tiles;
}

// `then` is an earlier status, or null.
export function Numbers({ now, then }) {
  const tiles = tilesOf(now, then);
  if (tiles.length === 0)
    return html`<p class="quiet">The services tell no numbers: their metrics are switched off, or out of reach of the gateway.</p>`;
  return html`<ul class="tiles" aria-label="Numbers">${tiles.map((tile) => html`<${Tile} key=${tile.name} ...${tile} />`)}</ul>`;
}
