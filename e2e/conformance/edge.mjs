// Our edge in front of the suite's server; the one place that knows how it is configured and started.

import fs from 'node:fs'
import path from 'node:path'

import { answers, Failed, freePort, scratch, start, waitFor } from './process.mjs'

const root = path.resolve(import.meta.dirname, '../..')
const binary = path.join(root, 'target/release/edge')
const example = path.join(root, 'examples/conformance')

/** Starts the edge; gives its `host:port`. */
export async function startEdge (originPort) {
  if (!fs.existsSync(binary)) {
    throw new Failed('target/release/edge is missing: build it (`cargo build --release -p edge`)')
  }
  const port = await freePort()
  const child = start('the edge', binary, ['--config', writeConfig(port, originPort)], { cwd: root })
  await waitFor(child, () => answers(port))
  return `127.0.0.1:${port}`
}

/** Makes the edge's configuration from the example, ports filled in; gives its file. */
function writeConfig (port, originPort) {
  const files = fs.existsSync(example) ? fs.readdirSync(example).filter(name => name.endsWith('.yaml')).sort() : []
  if (files.length === 0) throw new Failed('examples/conformance has no YAML to configure the edge from')
  const text = files
    .map(name => fs.readFileSync(path.join(example, name), 'utf8'))
    .join('---\n')
    .replaceAll('${PORT}', String(port))
    .replaceAll('${ORIGIN_PORT}', String(originPort))
  const config = path.join(scratch(), 'edge.yaml')
  fs.writeFileSync(config, text)
  return config
}
