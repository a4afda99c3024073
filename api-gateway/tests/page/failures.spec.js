// Failures are said in words where they happen, with a way to try again, and nothing typed is lost.
import { expect, open, picture, test } from './support.js';

test.use({ allowed: true });
const movies = /\/api\/v1\/movies\?/;

test('a token that is not accepted is asked for again', async ({ page }) => {
  await page.route(movies, (route) =>
    route.request().headers().authorization === 'Bearer right'
      ? route.continue()
      : route.fulfill({ status: 401, json: { error: 'invalid token' } }),
  );
  await open(page, '#/discover?q=alien');
  await expect(page.getByRole('heading', { name: 'The token was not accepted' })).toBeVisible();
  await page.getByLabel('Token').fill('right');
  await page.getByRole('button', { name: 'Start' }).click();
  await expect(page.locator('.card a').first()).toContainText('Alien');
});

test('what a token does not allow is said, and the token is kept', async ({ page }) => {
  await page.route(/\/admin\/sync\?/, (route) =>
    route.fulfill({ status: 403, json: { error: 'forbidden', code: 'forbidden' } }),
  );
  await open(page, '#/catalogue');
  await page.getByRole('button', { name: 'Start a sync' }).click();
  await expect(page.getByRole('alert')).toContainText('Your token does not allow that.');
  await expect(page.getByLabel('Pages')).toHaveValue('5');
});

test('over the limit a countdown runs, and then it goes on by itself', async ({ page }, info) => {
  let refused = true;
  await page.route(movies, (route) =>
    refused
      ? route.fulfill({
          status: 429,
          headers: { 'retry-after': '3' },
          json: { error: 'rate limit exceeded', retry_after: 3 },
        })
      : route.continue(),
  );
  await open(page, '#/discover?q=alien');
  await expect(page.locator('.countdown')).toHaveText(/^[123] s$/);
  await expect(page.getByRole('button', { name: 'Try again' })).toBeDisabled();
  await picture(page, info, 'limit');
  refused = false;
  await expect(page.locator('.card a').first()).toContainText('Alien');
});

test('a service that is away is named, and asked again when one wants to', async ({ page }) => {
  await page.route(movies, (route) =>
    route.fulfill({ status: 502, json: { error: 'service unavailable: movie-service' } }),
  );
  await open(page, '#/discover?q=alien');
  await expect(page.getByRole('alert')).toContainText('movie-service');
  await page.unroute(movies);
  await page.getByRole('button', { name: 'Try again' }).click();
  await expect(page.locator('.card a').first()).toContainText('Alien');
});

test('offline is said, and what was typed stays', async ({ page, context }) => {
  await open(page, '#/discover');
  await expect(page.locator('.card a').first()).toBeVisible();
  await context.setOffline(true);
  await page.getByRole('searchbox').fill('alien');
  await expect(page.getByRole('alert')).toContainText('The platform does not answer.');
  await expect(page.getByRole('searchbox')).toHaveValue('alien');
  await context.setOffline(false);
  await expect(page.locator('.card a').first()).toContainText('Alien');
});

test('a list that was made without its person is said to be a general one', async ({ page, api }) => {
  const lists = /\/recommendations\?/;
  await page.route(lists, async (route) => {
    const response = await route.fetch();
    await route.fulfill({
      response,
      json: { ...(await response.json()), degraded: true, degraded_reason: 'user-preference-service did not answer' },
    });
  });
  await open(page, '#/for-you', await api.person());
  await expect(page.getByRole('alert')).toContainText(
    'This is a general list: user-preference-service did not answer.',
  );
  await page.unroute(lists);
  await page.getByRole('button', { name: 'Try again' }).click();
  await expect(page.getByRole('alert')).toHaveCount(0);
});

test('a like that fails can be tried again', async ({ page, api }) => {
  await open(page, `#/movie/${(await api.movie('Alien')).id}`, await api.person());
  const interactions = /\/interactions$/;
  await page.route(interactions, (route) =>
    route.fulfill({ status: 502, json: { error: 'service unavailable: user-preference-service' } }),
  );
  const like = page.getByRole('button', { name: 'Like', exact: true });
  await like.click();
  await expect(page.getByRole('alert')).toContainText('user-preference-service');
  await page.unroute(interactions);
  await page.getByRole('button', { name: 'Try again' }).click();
  await expect(like).toHaveAttribute('aria-pressed', 'true');
});

test('a person whom the platform has forgotten is forgotten here too', async ({ page }) => {
  await open(page, '#/for-you', { id: 999_999_999, username: 'gone' });
  await expect(page.getByRole('status').filter({ hasText: 'The platform does not know gone any more.' })).toBeVisible();
  await expect(page.getByRole('button', { name: 'Who are you?' })).toBeVisible();
});
