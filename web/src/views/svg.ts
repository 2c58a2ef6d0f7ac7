/** The plots as a drawing that scales: a grid of panels with their curves. */

import { shortest } from "../engine/arithmetic";
import type { Colours } from "./colours";
import { described, panelsOf } from "./plots";
import type { Result } from "./running";

const [WIDTH, HEIGHT, LEFT, TOP, BOTTOM, COLUMNS] = [320, 170, 56, 26, 22, 3];
const DASHES = ["", "7 4", "2 3"];

export function drawnSvg(result: Result, colours: Colours): string {
  const panels = panelsOf(result).filter((panel) => panel.curves.length);
  const rows = Math.ceil(panels.length / COLUMNS);
  const parts = panels.map((panel, i) => {
    const [x, y] = [(i % COLUMNS) * WIDTH, Math.floor(i / COLUMNS) * HEIGHT];
    return `<g transform="translate(${x} ${y})"><title>${escaped(described(panel))}</title>${panelParts(panel, colours)}</g>`;
  });
  const size = `width="${COLUMNS * WIDTH}" height="${rows * HEIGHT}" viewBox="0 0 ${COLUMNS * WIDTH} ${rows * HEIGHT}"`;
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size} font-family="sans-serif" font-size="11"><rect width="100%" height="100%" fill="${colours.paper}"/>${parts.join("")}</svg>\n`;
}

function panelParts(panel: ReturnType<typeof panelsOf>[number], colours: Colours): string {
  let [low, high, steps] = [Infinity, -Infinity, 1];
  for (const { values } of panel.curves) {
    steps = Math.max(steps, values.length);
    for (let i = 0; i < values.length; i++) if (Number.isFinite(values[i]!)) [low, high] = [Math.min(low, values[i]!), Math.max(high, values[i]!)];
  }
  if (low > high) [low, high] = [-1, 1];
  if (low === high) [low, high] = [low - (Math.abs(low) || 1) * 0.1, high + (Math.abs(high) || 1) * 0.1];
  const x = (i: number): number => LEFT + (i / Math.max(1, steps - 1)) * (WIDTH - LEFT - 12);
  const y = (value: number): number => TOP + (1 - (value - low) / (high - low)) * (HEIGHT - TOP - BOTTOM);
  const frame = `<rect x="${LEFT}" y="${TOP}" width="${WIDTH - LEFT - 12}" height="${HEIGHT - TOP - BOTTOM}" fill="none" stroke="${colours.grid}"/>`;
  const words = [
    `<text x="${LEFT}" y="${TOP - 8}" font-weight="bold" fill="${colours.of(panel.name)}">${escaped(panel.name)}</text>`,
    ...[low, high].map((value) => `<text x="${LEFT - 4}" y="${y(value) + 4}" text-anchor="end" fill="${colours.quiet}">${shortest(value)}</text>`),
    `<text x="${WIDTH - 12}" y="${HEIGHT - 8}" text-anchor="end" fill="${colours.quiet}">step ${steps}</text>`,
  ];
  const curves = panel.curves.map(({ values, rule }) => {
    let path = "";
    let down = false;
    for (let i = 0; i < values.length; i++) {
      const value = values[i]!;
      if (Number.isFinite(value)) path += `${down ? "L" : "M"}${x(i).toFixed(1)} ${y(value).toFixed(1)}`;
      down = Number.isFinite(value);
    }
    return `<path d="${path}" fill="none" stroke="${colours.of(panel.name)}" stroke-width="1.8" stroke-dasharray="${DASHES[rule]}"/>`;
  });
  return frame + curves.join("") + words.join("");
}

function escaped(text: string): string {
  return text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/"/g, "&quot;");
}
