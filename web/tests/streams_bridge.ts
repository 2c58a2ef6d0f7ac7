import { named } from "../src/streams/stream";
const specs = JSON.parse(process.argv[2]!) as string[];
console.log(JSON.stringify(specs.map((s) => named(s).map((r) => Buffer.from(r.buffer).toString("base64")))));
