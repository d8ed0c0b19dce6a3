import { once } from 'node:events'
import { Readable, Writable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { setImmediate as turn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { createHandOverStage } from './hand-over-mark.js'

test('a small body that nobody reads is not handed over, however long it waits', async () => {
  const handOver = { complete: false }
  createHandOverStage(Readable.from([Buffer.from('small')]), handOver)
  for (let turns = 0; turns < 20; turns += 1) await turn()
  expect(handOver.complete).toBe(false)
})

test('a body that is read to its end is handed over, and unchanged', async () => {
  const handOver = { complete: false }
  const body = Buffer.alloc(200_000, 'x')
  const stage = createHandOverStage(Readable.from([body.subarray(0, 70_000), body.subarray(70_000)]), handOver)
  expect((await buffer(stage)).equals(body)).toBe(true)
  expect(handOver.complete).toBe(true)
})

test('a body that is read half is not handed over', async () => {
  const handOver = { complete: false }
  const stage = createHandOverStage(Readable.from([Buffer.alloc(50_000), Buffer.alloc(50_000)]), handOver)
  const taken: Buffer[] = []
  // As a connection whose peer reads no more. A bare `stage.read()` would return all that is buffered.
  const connection = new Writable({ highWaterMark: 1, write: (chunk) => void taken.push(chunk) })
  stage.pipe(connection)
  await once(stage, 'pause')
  await turn()
  expect(taken).toEqual([Buffer.alloc(50_000)])
  stage.destroy()
  await once(stage, 'close')
  expect(handOver.complete).toBe(false)
})

test('an error of the body is passed on', async () => {
  const error = new Error('unreadable')
  const body = new Readable({ read() {} })
  const stage = createHandOverStage(body, { complete: false })
  const failed = once(stage, 'error')
  body.destroy(error)
  expect(await failed).toEqual([error])
})
