// Choosing who one is: somebody known, somebody by number, or somebody new.
import { html, useEffect, useRef, useState } from './preact.js';
import { choose, createPerson, findPerson, people, person } from './session.js';
import { createStore } from './store.js';
import { Icon } from './icons.js';
import { Trouble } from './failure.js';
import { useAction } from './load.js';

// The one who waits for an answer, while the dialog is open.
const asking = createStore(null);

// Opens the dialog; resolves to the person, who uses the page from then on, or null.
export async function askWho() {
  const someone = await askFor('Who are you?', 'Recommendations follow what one person likes.');
  if (someone) choose(someone);
  return someone;
}

// As `askWho`, of somebody else.
export const askFor = (title, hint) => new Promise((resolve) => asking.set({ resolve, title, hint }));

// The first letter of the last word: `demo_ada` is A.
const letterOf = (name) =>
  [
    ...(name
      .split(/[\s._-]+/)
      .filter(Boolean)
      .at(-1) ?? name),
  ][0];

export const Initial = ({ someone }) =>
  html`<span class="initial" style=${{ '--hue': (someone.id * 67) % 360 }} aria-hidden="true">${letterOf(someone.username)}
    </span>`;

export function PersonButton() {
  const chosen = person.use();
  return html`<button type="button" class="who" onClick=${askWho} aria-haspopup="dialog">
    ${chosen ? html`<${Initial} someone=${chosen} /><span class="who-name">${chosen.username}</span>` : html`<${Icon}
      name="people" /><span class="who-name">Who are you?</span>`}
  </button>`;
}

function NewPerson({ done }) {
  const [name, setName] = useState('');
  const create = useAction(async () => done(await createPerson(name)));
  const submit = (event) => {
    event.preventDefault();
    create.run();
  };
  return html`<form onSubmit=${submit}>
    <label for="new-name">Somebody new</label>
    <div class="row"><input id="new-name" placeholder="A name" maxlength="50" required autofocus value=${name}
      onInput=${(event) => setName(event.target.value)} />
      <button class="primary" disabled=${create.busy}>Create</button></div>
    <${Trouble} failure=${create.failure} retry=${create.retry} />
  </form>`;
}

function ByNumber({ done }) {
  const [id, setId] = useState('');
  const find = useAction(async () => done(await findPerson(id)));
  const submit = (event) => {
    event.preventDefault();
    find.run();
  };
  return html`<form onSubmit=${submit}>
    <label for="by-number">Somebody by number</label>
    <div class="row"><input id="by-number" inputmode="numeric" pattern="[0-9]+" placeholder="1" required value=${id}
      onInput=${(event) => setId(event.target.value)} />
      <button disabled=${find.busy}>Find</button></div>
    <${Trouble} failure=${find.failure} retry=${find.retry} />
  </form>`;
}

export function PeopleDialog() {
  const question = asking.use();
  const dialog = useRef(null);
  const everybody = people.use();
  useEffect(() => {
    if (question) dialog.current.showModal();
  }, [question]);
  if (!question) return null;
  const answer = (someone) => {
    asking.set(null);
    question.resolve(someone);
  };
  return html`<dialog ref=${dialog} class="people" aria-labelledby="people-title" onClose=${() => answer(null)}>
    <div class="dialog-head"><h2 id="people-title">${question.title}</h2>
      <button type="button" class="bare" aria-label="Close" onClick=${() => answer(null)}><${Icon} name="close" /></button></div>
    <p class="quiet">${question.hint}</p>
    ${
      everybody.length > 0 &&
      html`<ul class="faces">${everybody.map(
        (someone) => html`<li key=${someone.id}>
      <button type="button" onClick=${() => answer(someone)}><${Initial} someone=${someone} />${someone.username}</button></li>`,
      )}</ul>`
    }
    <${NewPerson} done=${answer} />
    <${ByNumber} done=${answer} />
  </dialog>`;
}
