// The ways of arrows between boxes. An area is {x, y, width, height} in pixels; a route gives lines and arrow heads.

const HEAD = 5;
const ROUND = 6;
const SPREAD = 24; // pixels between the prongs of one arrow
const LETTERS = { query: "Q", key: "K", value: "V" };

const middleOf = (area) => area.x + area.width / 2;

/** An arrow head with its tip at (x, y), pointing up, or "right" or "left". */
export function headAt(x, y, turn) {
  if (turn === "right") return `M${x} ${y}l${-1.6 * HEAD} ${-HEAD}v${2 * HEAD}z`;
  if (turn === "left") return `M${x} ${y}l${1.6 * HEAD} ${-HEAD}v${2 * HEAD}z`;
  return `M${x} ${y}l${-HEAD} ${1.6 * HEAD}h${2 * HEAD}z`;
}

/** Through these points, [x, y] each, with round corners. */
function through(points) {
  const parts = [`M${points[0].join(" ")}`];
  for (let i = 1; i < points.length - 1; i++) {
    const [before, here, after] = [points[i - 1], points[i], points[i + 1]];
    const towards = (other) => {
      const distance = Math.hypot(other[0] - here[0], other[1] - here[1]) || 1;
      const cut = Math.min(ROUND, distance / 2) / distance;
      return [here[0] + (other[0] - here[0]) * cut, here[1] + (other[1] - here[1]) * cut].join(" ");
    };
    parts.push(`L${towards(before)}Q${here.join(" ")} ${towards(after)}`);
  }
  parts.push(`L${points[points.length - 1].join(" ")}`);
  return parts.join("");
}

/** Straight up from box to box; with several prongs it forks below the target. */
export function flow(from, to, { prongs, between }) {
  const x = middleOf(to);
  const bottom = to.y + to.height;
  const stem = [[middleOf(from), from.y], [x, bottom + 2]];
  if (!prongs.length) return { lines: [{ path: through(stem) }], heads: [{ x, y: bottom + 1 }] };
  const fork = bottom + between * 0.62;
  const lines = [{ path: through([[middleOf(from), from.y], [x, fork]]) }];
  const heads = prongs.map((role, i) => {
    const at = x + (i - (prongs.length - 1) / 2) * SPREAD;
    lines.push({ path: through([[x, fork], [at, fork], [at, bottom + 2]]), role });
    return { x: at, y: bottom + 1, role, letter: LETTERS[role] };
  });
  return { lines, heads };
}

/** Leaves the way up above `from`, passes what lies between at one side, and enters the side of `to`. */
export function residual(from, to, { side, channel, between }) {
  const left = side === "left";
  const edge = left ? to.x : to.x + to.width;
  const lane = left ? edge - channel : edge + channel;
  const start = from.y - between * 0.3;
  const y = to.y + to.height / 2;
  return {
    lines: [{ path: through([[middleOf(from), start], [lane, start], [lane, y], [edge, y]]) }],
    heads: [{ x: edge, y, turn: left ? "right" : "left" }],
  };
}

/** Up from `from`, over into the gap beside its column, and into the left side of `to`. */
export function across(from, to, { prongs, between, gap }) {
  const out = from.y - between * 0.62;
  const lane = from.x + from.width + gap / 2;
  const roles = prongs.length ? prongs : [null];
  const lines = [];
  const heads = roles.map((role, i) => {
    const shift = i - (roles.length - 1) / 2;
    const y = to.y + to.height / 2 + shift * 13;
    const beside = lane - shift * 7; // so that they do not cross
    lines.push({ path: through([[middleOf(from), from.y], [middleOf(from), out], [beside, out], [beside, y], [to.x - 1, y]]), role });
    return { x: to.x, y, turn: "right", role, letter: role ? LETTERS[role] : null, below: shift > 0 };
  });
  return { lines, heads };
}
