// What the tests of the page share: a page that must stay free of errors, people, and calls of the API.
import { expect, test as base } from '@playwright/test';

const HEADERS = { authorization: 'Bearer test' };
let counter = 0;

// A name that nobody has yet, whatever ran before on this platform.
export const newName = () => `page_${Date.now()}_${(counter += 1)}`;

export class Api {
  constructor(request) {
    this.request = request;
  }

  async get(path) {
    const response = await this.request.get(`/api/v1${path}`, { headers: HEADERS });
    expect(response.ok(), `GET ${path}: ${response.status()}`).toBe(true);
    return response.json();
  }

  async post(path, data) {
    const response = await this.request.post(`/api/v1${path}`, { headers: HEADERS, data });
    expect(response.ok(), `POST ${path}: ${response.status()}`).toBe(true);
    return response.json();
  }

  // A person who likes these movies.
  async person({ likes = [], genres = [] } = {}) {
    const username = newName();
    const person = await this.post('/users', { username, email: `${username}@example.com` });
    await this.post(`/users/${person.id}/preferences`, {
      preferred_genres: genres,
      preferred_language: 'en',
      min_rating: 0,
    });
    for (const movie_id of likes)
      await this.post(`/users/${person.id}/interactions`, { movie_id, interaction_type: 'like' });
    return person;
  }

  async movie(title) {
    const { data } = await this.get(`/movies?page_size=1&q=${encodeURIComponent(title)}`);
    return data[0];
  }
}

export const test = base.extend({
  api: async ({ request }, use) => use(new Api(request)),
  // A token, so that a test may begin where it wants to. `allowed` are failed requests that a test causes itself.
  allowed: [null, { option: true }],
  page: async ({ page, allowed }, use) => {
    const problems = [];
    page.on('pageerror', (error) => problems.push(String(error)));
    page.on('console', (message) => {
      const wanted = allowed && message.text().startsWith('Failed to load resource');
      if (['error', 'warning'].includes(message.type()) && !wanted) problems.push(message.text());
    });
    await page.addInitScript(() => {
      addEventListener('securitypolicyviolation', (event) =>
        console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`),
      );
    });
    await use(page);
    expect(problems).toEqual([]);
  },
});

// Opens a view with a token, as a person or as nobody yet.
export async function open(page, hash, person = null) {
  await page.addInitScript(
    (someone) => {
      if (!sessionStorage.getItem('token')) sessionStorage.setItem('token', '"test"');
      if (someone && !sessionStorage.getItem('person')) sessionStorage.setItem('person', JSON.stringify(someone));
    },
    person && { id: person.id, username: person.username },
  );
  await page.goto(`/${hash}`);
}

export async function picture(page, info, name) {
  await page.screenshot({ path: `${process.env.OUTPUT ?? '/tmp/page'}/${name}-${info.project.name}.png` });
}

export { expect };

// What shows that a view has what it is for.
export const VIEWS = {
  discover: '.card a',
  movie: '.neighbours .card a',
  'for-you': '.ranking .rank',
  together: '.ranking .rank',
  catalogue: '.jobs, .progress',
  'catalogue/new': 'textarea',
  status: '.service',
};

// Opens a view as somebody who likes a movie, and waits until it is there.
export async function openView(page, api, view) {
  const alien = await api.movie('Alien');
  const people = [await api.person({ likes: [alien.id] }), await api.person()];
  const hashes = { movie: `#/movie/${alien.id}`, together: `#/together?users=${people.map(({ id }) => id)}` };
  await open(page, hashes[view] ?? `#/${view}`, people[0]);
  await expect(page.locator(VIEWS[view]).first()).toBeVisible();
}
