/** A function of a point with its gradient, a window and a start, as `mhat.landscapes` has it. */

export interface Landscape {
  name: string;
  height: (x: ArrayLike<number>) => number;
  gradient: (x: ArrayLike<number>, t: number) => number[];
  start: number[];
  window: [number, number][];
  minima: number[][];
  /** Bounds of every coordinate, where the published problem has them. */
  domain?: [number, number];
}

/** The same hill turned around its middle by an angle in degrees, in the plane of its two coordinates. */
export function turned(hill: Landscape, degrees: number): Landscape {
  if (degrees === 0 || hill.start.length !== 2) return hill;
  const [cosine, sine] = [Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)];
  const [cx, cy] = hill.window.map(([low, high]) => (low + high) / 2) as [number, number];
  const into = (x: ArrayLike<number>): [number, number] => {
    const [u, v] = [x[0]! - cx, x[1]! - cy];
    return [cx + cosine * u + sine * v, cy - sine * u + cosine * v];
  };
  const out = (u: number, v: number): [number, number] => [cosine * u - sine * v, sine * u + cosine * v];
  const moved = (point: number[]): number[] => {
    const [u, v] = out(point[0]! - cx, point[1]! - cy);
    return [cx + u, cy + v];
  };
  return {
    ...hill,
    height: (x) => hill.height(into(x)),
    gradient: (x, t) => {
      const [u, v] = hill.gradient(into(x), t);
      return out(u!, v!);
    },
    start: hill.start,
    minima: hill.minima.map(moved),
  };
}
