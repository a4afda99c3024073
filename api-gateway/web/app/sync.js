// Synchronising the catalogue: starting a job, following it by server-sent events, cancelling it.
import { html, useEffect, useState } from './preact.js';
import { call, events, query } from './api.js';
import { Trouble } from './failure.js';
import { useAction, useLoad } from './load.js';
import { ago, count } from './words.js';

const RUNNING = ['queued', 'running'];
const STATES = {
  queued: 'waiting',
  running: 'running',
  completed: 'completed',
  cancelled: 'cancelled',
  failed: 'failed',
};
const isRunning = (job) => Boolean(job) && RUNNING.includes(job.state) && !job.finished_at;

// Follows a job until it ends; a stream that was cut off is asked for again.
function useFollow(job, onProgress) {
  useEffect(() => {
    if (!isRunning(job)) return undefined;
    const controller = new AbortController();
    const follow = async () => {
      while (!controller.signal.aborted) {
        try {
          for await (const { event, data } of events(`/admin/sync/jobs/${job.id}/events`, controller.signal)) {
            onProgress(data);
            if (event === 'end') return;
          }
        } catch (failure) {
          if (controller.signal.aborted || failure.kind === 'missing') return;
        }
        await new Promise((resolve) => setTimeout(resolve, 1000));
      }
    };
    follow();
    return () => controller.abort();
  }, [job?.id, isRunning(job)]);
}

function Progress({ job, onCancel, cancel }) {
  const { pages, movies } = job;
  const share = pages.total ? pages.done / pages.total : isRunning(job) ? 0 : 1;
  const left = isRunning(job) && job.seconds_left ? `, about ${count(job.seconds_left, 'second')} left` : '';
  return html`<div class="progress"><p role="status">
    <strong>Sync ${job.id}: ${STATES[job.state] ?? job.state}.</strong> ${pages.done} of ${count(pages.total, 'page')}${left}: ${count(movies.new, 'new movie')}, ${movies.changed} changed, ${movies.unchanged} as before${pages.failed ? `, ${count(pages.failed, 'page')} failed` : ''}.</p>
    <progress max="1" value=${share} aria-label="Progress of the sync"></progress>
    ${job.errors.slice(0, 3).map(({ error, message, page }) => html`<p
      class="quiet">${page ? `Page ${page}: ` : ''}${error ?? message}</p>`)}
    ${isRunning(job) && html`<button type="button" disabled=${cancel.busy || job.cancel_requested}
      onClick=${onCancel}>${job.cancel_requested ? 'Stopping ...' : 'Cancel'}</button>`}</div>`;
}

function StartForm({ start, busy }) {
  const [pages, setPages] = useState('5');
  const [years, setYears] = useState('');
  const submit = (event) => {
    event.preventDefault();
    start.run(pages, years.trim());
  };
  return html`<form class="row" onSubmit=${submit}><label>Pages <input inputmode="numeric" pattern="[0-9]+" required
    value=${pages} onInput=${(event) => setPages(event.target.value)} /></label>
    <label>Years <input placeholder="1990..2025" pattern="[0-9]{4}([.][.][0-9]{4})?" value=${years}
      onInput=${(event) => setYears(event.target.value)} /></label>
    <button class="primary" disabled=${busy}>Start a sync</button></form>`;
}

export const useJobs = () => useLoad((signal) => call('/admin/sync/jobs?limit=6', { signal }), []);

// `jobs` is what `useJobs` has.
export function Sync({ jobs }) {
  const [job, setJob] = useState(jobs.data?.jobs[0] ?? null);
  useEffect(() => {
    if (jobs.data) setJob((before) => before ?? jobs.data.jobs[0] ?? null);
  }, [jobs.data]);
  useFollow(job, setJob);
  useEffect(() => {
    if (job && !isRunning(job)) jobs.retry();
  }, [isRunning(job)]);
  const start = useAction(async (pages, years) => {
    const span = years.includes('..') ? { years } : { year: years };
    setJob(await call(`/admin/sync${query({ mode: 'async', pages, ...span })}`, { method: 'POST' }));
  });
  const cancel = useAction(async () => setJob(await call(`/admin/sync/jobs/${job.id}`, { method: 'DELETE' })));
  const earlier = (jobs.data?.jobs ?? []).filter(({ id }) => id !== job?.id);
  return html`<section class="panel" aria-labelledby="sync-title"><h2 id="sync-title">Synchronise</h2>
    <p class="quiet">Fetches the most popular movies from TMDB, or the built-in sample without a key. What was edited by hand is locked and stays.</p>
    <${StartForm} start=${start} busy=${start.busy || isRunning(job)} /><${Trouble}
      failure=${start.failure ?? cancel.failure ?? jobs.failure} retry=${start.failure ? start.retry : cancel.failure ? cancel.retry : jobs.retry} />
    ${job && html`<${Progress} job=${job} cancel=${cancel} onCancel=${() => cancel.run()} />`}
    ${
      earlier.length > 0 &&
      html`<h3>Earlier</h3><ul class="jobs">${earlier.map(
        (
          one,
        ) => html`<li key=${one.id}><span>Sync ${one.id}, ${one.source}</span><span>${STATES[one.state] ?? one.state}</span>
      <span>${count(one.movies.new + one.movies.changed + one.movies.unchanged, 'movie')}</span><time
        datetime=${one.created_at}>${ago(one.created_at)}</time></li>`,
      )}</ul>`
    }</section>`;
}
