// Programs that a run starts, and their end.

import { spawn } from 'node:child_process'
import fs from 'node:fs'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** Something that the run needs did not work out; the text says what, and what to do. */
export class Failed extends Error {}

const running = []
let scratchFolder

/** A folder for files of this run; it goes away with `stopAll`. */
export function scratch () {
  scratchFolder ??= fs.mkdtempSync(path.join(os.tmpdir(), 'conformance-'))
  return scratchFolder
}

/** Starts a program; `child.output` has the end of what it says, `child.printed` its standard output. */
export function start (name, command, args, options = {}) {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], detached: true, ...options })
  child.label = name
  child.output = ''
  child.printed = ''
  child.stdout.on('data', chunk => { child.printed = (child.printed + chunk).slice(-1_000_000) })
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', chunk => { child.output = (child.output + chunk).slice(-100_000) })
  }
  child.on('error', error => { child.output += `${error.message}\n` })
  child.ended = new Promise(resolve => child.once('close', resolve))
  running.push(child)
  return child
}

/** Waits until `look` gives something; fails when the program ends or the time is over. */
export async function waitFor (child, look, seconds = 20) {
  for (const end = Date.now() + seconds * 1000; Date.now() < end;) {
    const found = await look()
    if (found) return found
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) {
      throw new Failed(`${child.label} ended at its start:\n${tail(child)}`)
    }
    await sleep(50)
  }
  throw new Failed(`${child.label} was not ready within ${seconds} s:\n${tail(child)}`)
}

/** Whether something listens on a port of loopback. */
export function answers (port) {
  return new Promise(resolve => {
    const socket = net.connect(port, '127.0.0.1')
    socket.once('connect', () => { socket.destroy(); resolve(true) })
    socket.once('error', () => resolve(false))
  })
}

/** A port of loopback that is free at this moment. */
export function freePort () {
  return new Promise((resolve, reject) => {
    const server = net.createServer().once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })
}

/** Ends all that was started, the last one first. */
export async function stopAll () {
  for (const child of running.splice(0).reverse()) {
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) continue
    child.kill('SIGTERM')
    const late = setTimeout(() => child.kill('SIGKILL'), 5000)
    await child.ended
    clearTimeout(late)
  }
  if (scratchFolder) fs.rmSync(scratchFolder, { recursive: true, force: true })
}

function tail (child) {
  return child.output.trimEnd().split('\n').slice(-15).map(line => `    ${line}`).join('\n')
}
