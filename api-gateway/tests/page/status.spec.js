// Status: how the services are, and what is known of the last sync and the model.
import { expect, open, picture, test } from './support.js';

test('every service is shown with what it works with', async ({ page }, info) => {
  await open(page, '#/status');
  await expect(page.getByText('All services are ready.')).toBeVisible();
  for (const name of ['api-gateway', 'movie-service', 'user-preference-service', 'recommendation-service']) {
    await expect(page.locator('.service.well').filter({ has: page.getByRole('heading', { name }) })).toContainText(
      /redis\s*\d/,
    );
  }
  for (const name of [
    'Requests a second',
    'Median latency',
    'Refused by the rate limit',
    'Cache of movies',
    'Movies to recommend',
  ]) {
    await expect(page.locator('.tile').filter({ hasText: name }).locator('strong')).toHaveText(/\d/);
  }
  await expect(page.locator('.panel').filter({ hasText: 'Last sync' })).toContainText('completed');
  await expect(page.locator('.panel').filter({ hasText: 'Model of who likes what' })).toContainText(/trained|from \d/);
  await picture(page, info, 'status');
});

test('a service that does not answer is named, and the page looks again by itself', async ({ page }) => {
  let away = true;
  await page.route(/\/api\/v1\/status$/, async (route) => {
    const response = await route.fetch();
    const status = await response.json();
    if (away) Object.assign(status.services[1], { status: 'unreachable', checks: {} });
    await route.fulfill({ response, json: status });
  });
  await open(page, '#/status');
  await expect(page.getByText('movie-service: not well.')).toBeVisible();
  await expect(page.locator('.service.ill')).toContainText('does not answer');
  away = false;
  await expect(page.getByText('All services are ready.')).toBeVisible();
});

test('a trained model is shown with its age and how good it is', async ({ page }) => {
  const info = {
    trained_at: new Date(Date.now() - 3 * 3600 * 1000).toISOString(),
    users: 610,
    movies: 9724,
    quality: { ndcg_10: 0.318, popularity_ndcg_10: 0.174 },
  };
  await page.route(/\/api\/v1\/models$/, (route) =>
    route.fulfill({ json: { models: [{ version: 'ease-7', in_use: true, info }] } }),
  );
  await open(page, '#/status');
  const panel = page.locator('.panel').filter({ hasText: 'Model of who likes what' });
  await expect(panel).toContainText(/ease-7\s*, 3 h ago, from 610 people and 9,724 movies/);
  await expect(panel).toContainText('NDCG@10 0.318');
  await expect(panel).toContainText('0.174');
});
