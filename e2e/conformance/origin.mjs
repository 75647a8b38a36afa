// The suite's own server, the origin behind the cache under test.

import path from 'node:path'
import { pathToFileURL } from 'node:url'

import { scratch, start, waitFor } from './process.mjs'

/** Starts it on `port` of loopback (0: any); gives the port. */
export async function startOrigin (suite, port) {
  const loopback = pathToFileURL(path.join(import.meta.dirname, 'loopback.mjs')).href
  const child = start('the suite\'s server', process.execPath, ['--import', loopback, 'server/server.mjs'], {
    cwd: suite,
    env: {
      ...process.env,
      npm_config_protocol: 'http',
      npm_config_port: port,
      npm_config_pidfile: path.join(scratch(), 'server.pid')
    }
  })
  return waitFor(child, () => Number(child.output.match(/Listening on http:\/\/127\.0\.0\.1:(\d+)/)?.[1]))
}
