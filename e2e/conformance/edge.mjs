// Our edge in front of the suite's server; the one place that knows how it is configured and started.

import fs from 'node:fs'
import path from 'node:path'

import { answers, Failed, freePort, scratch, start, waitFor } from './process.mjs'

const root = path.resolve(import.meta.dirname, '../..')
/** Where the programs are: another profile's by `BIN=target/debug`. */
const bin = process.env.BIN ?? 'target/release'
const binary = path.join(root, bin, 'edge')
const translator = path.join(root, bin, 'local')
const example = path.join(root, 'examples/conformance')

/** The host that the example's site has. */
export const HOST = 'conformance.example.com'

/** Starts the edge; gives its `host:port`. */
export async function startEdge (originPort) {
  const port = await freePort()
  const flags = ['--config', await writeSnapshot(originPort), '--listen', `127.0.0.1:${port}`, '--admin', '127.0.0.1:0']
  const child = start('the edge', built(binary, 'edge'), flags, { cwd: root })
  await waitFor(child, () => answers(port))
  return `127.0.0.1:${port}`
}

/** Translates the example to what an edge runs on, with the suite's server as the origin; gives its file. */
async function writeSnapshot (originPort) {
  const flags = ['snapshot', '--origin', `http://127.0.0.1:${originPort}`, example]
  const child = start('the translation of examples/conformance', built(translator, 'local'), flags, { cwd: root })
  const code = await child.ended
  if (code !== 0) throw new Failed(`${child.label} failed:\n${child.output}`)
  const file = path.join(scratch(), 'edge.yaml')
  fs.writeFileSync(file, child.printed)
  return file
}

function built (file, crate) {
  if (!fs.existsSync(file)) {
    throw new Failed(`${path.relative(root, file)} is missing: build it (\`cargo build --release -p ${crate}\`)`)
  }
  return file
}
