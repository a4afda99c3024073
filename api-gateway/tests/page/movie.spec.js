// Movie: facts, what is near it, and what one thinks of it.
import { expect, open, picture, test } from './support.js';

test('a movie shows its facts, and similar movies with why', async ({ page, api }, info) => {
  const { id } = await api.movie('Interstellar');
  const movie = await api.get(`/movies/${id}`);
  await open(page, `#/movie/${id}`);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Interstellar');
  await expect(page.locator('.fact-line')).toHaveText('2014 · 2 h 49 min · English');
  await expect(page.locator('.tags li')).toHaveText(movie.genres);
  await expect(page.locator('.score')).toContainText(movie.vote_average.toFixed(1));
  const similar = page
    .getByRole('region')
    .or(page.locator('.neighbours'))
    .filter({ hasText: 'Similar movies' })
    .locator('.card');
  await expect(similar.first().locator('.card-note')).toContainText(/[Ss]hares/);
  await expect(page.getByText('People who liked it also liked')).toBeVisible();
  await picture(page, info, 'movie');
});

test('liking, disliking, rating, watchlist and watched are recorded and shown', async ({ page, api }) => {
  const person = await api.person();
  const { id } = await api.movie('Interstellar');
  await open(page, `#/movie/${id}`, person);
  for (const name of ['Like', 'Watchlist', 'Watched', 'Dislike']) {
    const button = page.getByRole('button', { name, exact: true });
    await button.click();
    await expect(button).toHaveAttribute('aria-pressed', 'true');
  }
  await expect(page.getByRole('button', { name: 'Like', exact: true })).toHaveAttribute('aria-pressed', 'false');
  await page.getByLabel('Rate').selectOption('9');
  await expect(page.getByRole('status').filter({ hasText: 'You gave Interstellar 9 of 10.' })).toBeVisible();
  const { interactions } = await api.get(`/users/${person.id}/interactions`);
  expect(interactions.map(({ interaction_type: kind }) => kind)).toEqual([
    'rating',
    'dislike',
    'watched',
    'watchlist',
    'like',
  ]);
  await page.reload();
  await expect(page.getByRole('button', { name: 'Dislike', exact: true })).toHaveAttribute('aria-pressed', 'true');
  await expect(page.getByLabel('Rate')).toHaveValue('9');
});

test('a movie that does not exist is said to be missing', async ({ browser, baseURL }) => {
  const page = await (await browser.newContext({ baseURL })).newPage();
  await open(page, '#/movie/999999999');
  await expect(page.getByRole('alert')).toContainText('That does not exist.');
});
