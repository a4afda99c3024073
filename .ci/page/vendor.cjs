// Checks that the third-party files of the web page are those of npm: `node vendor.cjs FOLDER`, with a folder for the packages.
// api-gateway/web/vendor.json says of each package its version, licence and npm's integrity, and of each file its SHA-256.
const { execFileSync } = require('node:child_process');
const { createHash } = require('node:crypto');
const { mkdirSync, readFileSync, readdirSync } = require('node:fs');
const { join } = require('node:path');

const WEB = join(__dirname, '../../api-gateway/web');
const VENDOR = join(WEB, 'app/vendor');
const LICENCES = ['Apache-2.0', 'MIT'];
const folder = process.argv[2];
const faults = [];

function expect(isRight, fault) {
  if (!isRight) faults.push(fault);
}

function check({ name, version, license, integrity, files }) {
  expect(LICENCES.includes(license), `${name}: the licence ${license} is not among ${LICENCES}`);
  expect(/^\d+\.\d+\.\d+$/.test(version), `${name}: ${version} is not one version`);
  const [packed] = JSON.parse(
    execFileSync('npm', ['pack', '--json', '--silent', '--pack-destination', folder, `${name}@${version}`], {
      encoding: 'utf8',
    }),
  );
  const archive = join(folder, packed.filename);
  const hash = `sha512-${createHash('sha512').update(readFileSync(archive)).digest('base64')}`;
  expect(hash === integrity, `${name}@${version}: npm has ${hash}, vendor.json says ${integrity}`);
  const read = (path) => execFileSync('tar', ['-xzOf', archive, `package/${path}`], { maxBuffer: 1 << 26 });
  expect(JSON.parse(read('package.json')).license === license, `${name}: its package.json has another licence`);
  for (const { path, from, sha256 } of files) {
    const here = readFileSync(join(VENDOR, path));
    expect(
      createHash('sha256').update(here).digest('hex') === sha256,
      `${path}: its SHA-256 is not that of vendor.json`,
    );
    expect(here.equals(read(from)), `${path} is not ${from} of ${name}@${version}`);
  }
}

mkdirSync(folder, { recursive: true });
const packages = JSON.parse(readFileSync(join(WEB, 'vendor.json'), 'utf8'));
packages.forEach(check);
const known = packages.flatMap(({ files }) => files.map(({ path }) => path));
for (const path of readdirSync(VENDOR)) expect(known.includes(path), `${path} is in no package of vendor.json`);
faults.forEach((fault) => console.error(fault));
if (faults.length === 0)
  console.log(
    `${known.length} files of ${packages.map(({ name, version }) => `${name}@${version}`).join(' and ')} are those of npm`,
  );
process.exitCode = faults.length ? 1 : 0;
