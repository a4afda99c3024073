// The scoring rules: their names for people, and the bar of what each one counts.
import { html } from './preact.js';

const NAMES = {
  popularity: 'Popularity',
  recency: 'New releases',
  genre_match: 'Preferred genres',
  rating: 'Good ratings',
  language_match: 'Preferred language',
  affinity: 'Like what you liked',
  collaborative: 'Liked by people like you',
};

export const ruleName = (rule) => NAMES[rule] ?? rule;

// The score as the sum of its parts; `highest` is the score of a full bar.
export function ScoreBar({ movie, highest }) {
  const parts = movie.explanation.filter(({ contribution }) => contribution > 0);
  const said = parts.map(({ rule, contribution }) => `${ruleName(rule)} ${contribution.toFixed(2)}`).join(', ');
  return html`<div class="bar" role="img" aria-label=${`Score ${movie.score.toFixed(2)}: ${said || 'no rule counts'}`}>
    ${parts.map(
      ({
        rule,
        contribution,
      }) => html`<span key=${rule} class=${`rule-${rule}`} title=${`${ruleName(rule)}: ${contribution.toFixed(3)}`}
      style=${{ width: `${(contribution / highest) * 100}%` }}></span>`,
    )}</div>`;
}

export function Explanation({ movie }) {
  const sources = movie.explanation.flatMap(({ sources: from }) => from ?? []);
  return html`<table class="explanation"><caption class="unseen">How the score of ${movie.title} comes about</caption>
    <thead><tr><th scope="col">Rule</th><th scope="col">Value</th><th scope="col">Weight</th><th scope="col">Counts</th></tr>
      </thead>
    <tbody>${movie.explanation.map(
      ({
        rule,
        value,
        weight,
        contribution,
      }) => html`<tr key=${rule}><th scope="row"><i class=${`dot rule-${rule}`}></i>${ruleName(rule)}</th>
      <td>${value.toFixed(3)}</td><td>${weight.toFixed(2)}</td><td>${contribution.toFixed(3)}</td></tr>`,
    )}
      <tr class="sum"><th scope="row">Score</th><td></td><td></td><td>${movie.score.toFixed(3)}</td></tr></tbody></table>
    ${sources.length > 0 && html`<p
      class="sources">It comes from ${sources.slice(0, 5).map(({ movie_id: id, title, share }, index) => html`${index > 0 && ', '}
      <a href=${`#/movie/${id}`}>${title}</a> (${Math.round(share * 100)} %)`)}.</p>`}`;
}
