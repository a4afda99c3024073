// The drawing of each genre, in a field of 200 x 300. `random` gives numbers from 0 to 1; classes give the colours:
// `a` is light, `b` the accent, `c` dark.
import { html } from './preact.js';

const range = (count, draw) => Array.from({ length: count }, (_, index) => draw(index));
const between = (random, low, high) => low + random() * (high - low);
const points = (list) => list.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join(' ');

// A ridge from left to right, filled down to the ground.
function ridge(random, top, height, steps, shape) {
  const line = range(steps + 1, (step) => [(step * 200) / steps, top + random() * height]);
  return html`<polygon class=${shape} points=${points([[0, 300], ...line, [200, 300]])} />`;
}

function rays(random, count, x, y) {
  const turn = random() * 6;
  return range(count, (index) => {
    const [from, to] = [turn + (index * 6.283) / count, turn + ((index + 0.5) * 6.283) / count];
    const edge = (angle) => [x + Math.cos(angle) * 320, y + Math.sin(angle) * 320];
    return html`<polygon class="b faint" points=${points([[x, y], edge(from), edge(to)])} />`;
  });
}

function western(random) {
  const [x, y] = [between(random, 50, 150), between(random, 80, 120)];
  return html`<circle class="a" cx=${x} cy=${y} r=${between(random, 38, 56)} />
    <path class="b" d="M0 190h36l8-34h40l8 34h30l6-52h44l8 52h20v110H0z" />${ridge(random, 208, 22, 7, 'c')}`;
}

function war(random) {
  return html`${range(
    7,
    (
      index,
    ) => html`<rect class=${index % 2 ? 'b faint' : 'a faint'} x="-60" y=${index * 44 - 20} width="360" height="20"
      transform=${`rotate(${between(random, -24, -16)} 100 150)`} />`,
  )}
    <polygon class="a" points="100,62 112,98 150,98 119,120 131,156 100,134 69,156 81,120 50,98 88,98" />${ridge(random, 220, 30, 16, 'c')}`;
}

function horror(random) {
  const trees = range(9, (index) => {
    const [x, top] = [index * 25 + between(random, -8, 8), between(random, 96, 190)];
    return html`<polygon class="c" points=${points([
      [x - 5, 300],
      [x - 2, top + 30],
      [x - 16, top + 8],
      [x, top + 22],
      [x + 1, top],
      [x + 4, top + 34],
      [x + 18, top + 20],
      [x + 4, top + 50],
      [x + 6, 300],
    ])} />`;
  });
  return html`<circle class="b" cx=${between(random, 60, 140)} cy=${between(random, 72, 110)}
    r=${between(random, 38, 58)} />${trees}`;
}

function scienceFiction(random) {
  const [x, y, r] = [between(random, 70, 130), between(random, 100, 140), between(random, 40, 58)];
  const tilt = between(random, -28, 28);
  return html`${range(36, () => html`<circle class="a faint" cx=${random() * 200} cy=${random() * 300}
    r=${between(random, 0.4, 1.6)} />`)}
    <circle class="b" cx=${x} cy=${y} r=${r} /><path class="c faint"
      d=${`M${x} ${y - r}a${r} ${r} 0 0 1 0 ${2 * r}a${r * 1.6} ${r * 1.6} 0 0 0 0 ${-2 * r}`} />
    <ellipse class="line" cx=${x} cy=${y} rx=${r * 1.75} ry=${r * 0.36} transform=${`rotate(${tilt} ${x} ${y})`} />
    <circle class="a" cx=${between(random, 20, 60)} cy=${between(random, 190, 230)} r=${between(random, 6, 12)} />`;
}

function music(random) {
  return range(15, (index) => {
    const height = between(random, 24, 150) * Math.sin(((index + 1) / 16) * Math.PI) + 14;
    return html`<rect class=${index % 3 ? 'b' : 'a'} x=${index * 12.4 + 10} y=${128 - height / 2} width="6.4" height=${height}
      rx="3.2" />`;
  });
}

function romance(random) {
  const [y, r] = [between(random, 100, 136), between(random, 46, 60)];
  return html`<circle class="a" cx=${100 - r * 0.55} cy=${y} r=${r} /><circle class="b soft" cx=${100 + r * 0.55}
    cy=${y + between(random, -12, 12)} r=${r} />
    ${range(5, () => html`<circle class="a faint" cx=${random() * 200} cy=${random() * 280} r=${between(random, 2, 7)} />`)}`;
}

function animation(random) {
  return range(9, (index) => {
    const size = between(random, 24, 62);
    const [x, y, turn] = [random() * 200, random() * 220, random() * 90];
    if (index % 3 === 0) return html`<circle class="a soft" cx=${x} cy=${y} r=${size / 2} />`;
    return html`<rect class=${index % 3 === 1 ? 'b soft' : 'a faint'} x=${x - size / 2} y=${y - size / 2} width=${size}
      height=${size} rx=${size / 4}
      transform=${`rotate(${turn} ${x} ${y})`} />`;
  });
}

function fantasy(random) {
  return html`${range(22, () => html`<circle class="a faint" cx=${random() * 200} cy=${random() * 160}
    r=${between(random, 0.5, 1.8)} />`)}
    <circle class="a" cx=${between(random, 40, 160)} cy="70" r=${between(random, 14, 24)} />
    ${ridge(random, 110, 70, 5, 'b faint')}${ridge(random, 150, 70, 6, 'b')}${ridge(random, 206, 40, 9, 'c')}`;
}

function mystery(random) {
  const [x, y] = [between(random, 80, 120), between(random, 100, 136)];
  return html`${range(7, (index) => html`<circle class="line" cx=${x + index * 1.6} cy=${y - index * 1.2}
    r=${92 - index * 12} />`)}
    <circle class="b" cx=${x + 12} cy=${y - 8} r="13" /><circle class="c" cx=${x + 14} cy=${y - 9} r="5" />`;
}

function crime(random) {
  const turn = between(random, -22, 22);
  const step = between(random, 18, 30);
  return html`<circle class=${random() < 0.5 ? 'a' : 'b'} cx=${between(random, 60, 140)} cy=${between(random, 84, 136)}
    r=${between(random, 42, 70)} />
    ${range(16, (index) => html`<rect class="c" x="-60" y=${index * step - 40} width="320"
      height=${between(random, 0.36, 0.62) * step} transform=${`rotate(${turn} 100 150)`} />`)}`;
}

function history(random) {
  return html`<circle class="b faint" cx="100" cy="120" r=${between(random, 70, 90)} /><polygon class="a"
    points="34,92 100,56 166,92" />
    ${range(5, (index) => html`<rect class=${random() < 0.5 ? 'a' : 'a soft'} x=${42 + index * 26} y="100" width="14"
      height="96" />`)}
    <rect class="a" x="30" y="200" width="140" height="9" />`;
}

function documentary(random) {
  const y = between(random, 84, 108);
  return html`<g transform=${`rotate(${between(random, -10, 10)} 100 130)`}><rect class="c" x="-30" y=${y} width="260"
    height="92" />
    ${range(4, (index) => html`<rect class=${index % 2 ? 'b' : 'a'} x=${-14 + index * 62} y=${y + 18} width="52" height="56"
      rx="3" />`)}
    ${range(20, (index) => html`<rect class="a faint" x=${index * 13 - 26} y=${y + 5} width="6" height="7" rx="1" /><rect
      class="a faint" x=${index * 13 - 26} y=${y + 80} width="6" height="7" rx="1" />`)}</g>`;
}

function family(random) {
  return html`<circle class="a" cx=${between(random, 50, 150)} cy="86" r="30" /><path class="b faint"
    d="M0 190q50-60 110-14t90-30v160H0z" />
    <path class="b" d="M0 220q70-50 120-8t80-20v120H0z" /><path class="c"
      d=${`M${between(random, 60, 100)} 214v-30l22-18 22 18v36z`} />`;
}

function comedy(random) {
  return range(34, (index) => {
    const [x, y] = [random() * 200, random() * 230];
    if (index % 4 === 0) return html`<circle class="a" cx=${x} cy=${y} r=${between(random, 3, 13)} />`;
    return html`<rect class=${index % 2 ? 'b' : 'a faint'} x=${x} y=${y} width=${between(random, 5, 20)} height="6" rx="3"
      transform=${`rotate(${random() * 180} ${x} ${y})`} />`;
  });
}

function adventure(random) {
  return html`<circle class="a" cx=${between(random, 50, 150)} cy=${between(random, 70, 100)}
    r="28" />${ridge(random, 100, 80, 4, 'b faint')}
    ${ridge(random, 140, 80, 5, 'b')}<path class="line"
      d="M20 300c70-30 10-60 80-84s20-50 70-70" />${ridge(random, 236, 24, 6, 'c')}`;
}

function thriller(random) {
  const turn = between(random, -18, 18);
  return html`<g transform=${`rotate(${turn} 100 130)`}>${range(
    8,
    (index) => html`<rect class=${index % 2 ? 'c' : 'b'} x=${10 + index * 11} y=${40 + index * 11}
    width=${180 - index * 22} height=${180 - index * 22} />`,
  )}</g>`;
}

function action(random) {
  const [x, y] = [between(random, 60, 140), between(random, 90, 140)];
  return html`${rays(random, 15, x, y)}<circle class="a" cx=${x} cy=${y}
    r=${between(random, 22, 38)} />${ridge(random, 220, 46, 12, 'c')}`;
}

function drama(random) {
  const x = between(random, 60, 140);
  return html`<polygon class="a faint" points=${points([
    [x, -20],
    [x - 90, 250],
    [x + 90, 250],
  ])} /><polygon class="a faint" points=${points([
    [x, -20],
    [x - 44, 250],
    [x + 44, 250],
  ])} />
    <ellipse class="b" cx=${x} cy="232" rx="74" ry="15" /><circle class="c" cx=${x} cy="150" r="13" /><path class="c"
      d=${`M${x - 20} 232q2-66 20-66t20 66z`} />`;
}

function television(random) {
  return html`<rect class="c" x="30" y="76" width="140" height="102" rx="10" />
    ${range(7, (index) => html`<rect class=${index % 2 ? 'a' : 'b'} x=${39 + index * 17.6} y="86" width=${between(random, 10, 17)}
      height="82" />`)}
    <path class="line" d="M76 52l24 24 28-34" />`;
}

export const MOTIFS = {
  Western: western,
  War: war,
  Horror: horror,
  'Science Fiction': scienceFiction,
  Music: music,
  Romance: romance,
  Animation: animation,
  Fantasy: fantasy,
  Mystery: mystery,
  Crime: crime,
  History: history,
  Documentary: documentary,
  Family: family,
  Comedy: comedy,
  Adventure: adventure,
  Thriller: thriller,
  Action: action,
  Drama: drama,
  'TV Movie': television,
};
