// Pictures of the page for the README: `node pictures.cjs GATEWAY FOLDER`, on a platform with the sample catalogue.
const { join } = require('node:path');
const { chromium } = require('@playwright/test');

const [gateway, folder] = process.argv.slice(2);
// Small files: less than 200 kB each.
const SCALE = 0.66;
const LIKED = ['Alien', 'Blade Runner', 'Interstellar'];

async function api(path, data) {
  const headers = { authorization: 'Bearer pictures', ...(data && { 'content-type': 'application/json' }) };
  const response = await fetch(`${gateway}/api/v1${path}`, {
    headers,
    method: data ? 'POST' : 'GET',
    body: data && JSON.stringify(data),
  });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return response.json();
}

async function somebody() {
  const name = `ada_${Date.now()}`;
  const person = await api('/users', { username: name, email: `${name}@example.com` });
  await api(`/users/${person.id}/preferences`, {
    preferred_genres: ['Science Fiction'],
    preferred_language: 'en',
    min_rating: 7,
  });
  for (const title of LIKED) {
    const { data } = await api(`/movies?page_size=1&q=${encodeURIComponent(title)}`);
    await api(`/users/${person.id}/interactions`, { movie_id: data[0].id, interaction_type: 'like' });
  }
  return { id: person.id, username: 'ada' };
}

async function main() {
  const person = await somebody();
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ['--no-sandbox'] });
  const shots = [
    ['discover', '#/discover', 'dark', 1280, 780, '.card a'],
    ['for-you', '#/for-you', 'light', 1280, 780, '.ranking .rank'],
  ];
  for (const [name, hash, colorScheme, width, height, ready] of shots) {
    const context = await browser.newContext({
      colorScheme,
      viewport: { width, height },
      reducedMotion: 'reduce',
      deviceScaleFactor: SCALE,
    });
    const page = await context.newPage();
    await page.addInitScript((someone) => {
      sessionStorage.setItem('token', '"pictures"');
      sessionStorage.setItem('person', JSON.stringify(someone));
    }, person);
    await page.goto(`${gateway}/${hash}`);
    await page.locator(ready).nth(3).waitFor();
    await page.screenshot({ path: join(folder, `${name}.png`) });
    await context.close();
  }
  await browser.close();
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
