// Status: how the services are, what they have to do, and how old and good what they know is.
import { html, useEffect, useRef, useState } from '../preact.js';
import { call } from '../api.js';
import { Trouble } from '../failure.js';
import { useLoad } from '../load.js';
import { Numbers } from '../numbers.js';
import { ago, count } from '../words.js';

const REFRESH_MILLISECONDS = 5000;
const STATES = { ready: 'ready', unavailable: 'not ready', stopping: 'stopping', unreachable: 'does not answer' };

const milliseconds = (value) => (value < 10 ? `${value.toFixed(1)} ms` : `${Math.round(value)} ms`);

function Service({ service }) {
  const { service: name, status, latency_ms: latency, checks } = service;
  return html`<li class=${`panel service ${status === 'ready' ? 'well' : 'ill'}`}><h2>${name}</h2><p>
    <strong>${STATES[status] ?? status}</strong> <span class="quiet">in ${milliseconds(latency)}</span></p>
    <ul>${Object.entries(checks).map(
      ([
        dependency,
        check,
      ]) => html`<li key=${dependency}><i class=${`lamp ${check.status === 'ok' ? 'on' : 'off'}`}></i>${dependency}
      <span class="quiet">${check.status === 'ok' ? milliseconds(check.latency_ms) : check.status}</span></li>`,
    )}</ul></li>`;
}

function Sync({ job }) {
  if (!job) return html`<p>Nothing has been synchronised yet. <a href="#/catalogue">Start a sync</a></p>`;
  const { movies } = job;
  return html`<p><strong>${job.state}
    </strong>, ${ago(job.finished_at ?? job.created_at)}, from ${job.source === 'tmdb' ? 'TMDB' : 'the sample'}</p>
    <p class="quiet">${count(movies.new, 'new movie')}, ${movies.changed} changed, ${movies.unchanged} as before</p>`;
}

function Model({ models }) {
  const model = models.models.find((one) => one.in_use);
  if (!model)
    return html`<p>None has been trained: too few people have liked too few movies yet. Recommendations go by what each one likes.</p>`;
  const { trained_at: trained, users, movies, quality } = model.info;
  return html`<p><strong>${model.version}
    </strong>, ${ago(trained)}, from ${count(users, 'person', 'people')} and ${count(movies, 'movie')}</p>
    <p class="quiet">${quality ? `NDCG@10 ${quality.ndcg_10.toFixed(3)} on likes that were held out; what is liked most often has ${quality.popularity_ndcg_10.toFixed(3)}` : 'Too little was known to measure how good it is'}
      </p>`;
}

function useEvery(period) {
  const [tick, setTick] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => document.hidden || setTick((before) => before + 1), period);
    return () => clearInterval(timer);
  }, [period]);
  return tick;
}

export function Status() {
  const tick = useEvery(REFRESH_MILLISECONDS);
  const latest = useRef(null);
  const status = useLoad(
    async (signal) => {
      const now = { ...(await call('/status', { signal })), at: Date.now() };
      const then = latest.current;
      latest.current = now;
      return { now, then };
    },
    [tick],
  );
  const jobs = useLoad((signal) => call('/admin/sync/jobs?limit=1', { signal }), []);
  const models = useLoad((signal) => call('/models', { signal }), []);
  const services = status.data?.now.services ?? [];
  const ill = services.filter((service) => service.status !== 'ready');
  return html`<h1>Status</h1><p
    role="status">${services.length ? (ill.length ? `${ill.map(({ service }) => service).join(', ')}: not well.` : 'All services are ready.') : ' '}
    </p>
    <${Trouble} failure=${status.failure} retry=${status.retry} />
    <ul class="services">${services.map((service) => html`<${Service} key=${service.service} service=${service} />`)}</ul>
    ${status.data && html`<${Numbers} now=${status.data.now} then=${status.data.then} />`}
    ${(status.data || status.failure) && html`<div class="catalogue equal"><section class="panel"><h2>Last sync</h2><${Trouble} failure=${jobs.failure}
      retry=${jobs.retry} />${jobs.data && html`<${Sync} job=${jobs.data.jobs[0]} />`}</section>
      <section class="panel"><h2>Model of who likes what</h2><${Trouble} failure=${models.failure}
        retry=${models.retry} />${models.data && html`<${Model} models=${models.data} />`}</section></div>`}`;
}
