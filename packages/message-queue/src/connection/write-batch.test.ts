import { Duplex } from 'node:stream'
import type { ChannelModel } from 'amqplib'
import { expect, test } from 'vitest'
import { WriteBatch } from './write-batch.js'

/** Notes what goes to the network together. */
class RecordingSocket extends Duplex {
  readonly packets: string[][] = []

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.packets.push([chunk.toString()])
    done()
  }

  override _writev(chunks: { chunk: Buffer }[], done: () => void): void {
    this.packets.push(chunks.map(({ chunk }) => chunk.toString()))
    done()
  }
}

function writeEach(socket: Duplex, messages: string[]): void {
  for (const message of messages) socket.write(message)
}

const turn = () => new Promise((resolve) => setImmediate(resolve))
const createModel = (stream: unknown) => ({ connection: { stream } }) as unknown as ChannelModel

test('what amqplib writes in the next turn goes out together, and later turns are on their own', async () => {
  const socket = new RecordingSocket()
  const batch = new WriteBatch(createModel(socket))
  for (const messages of [
    ['a', 'b'],
    ['c', 'd', 'e'],
  ]) {
    batch.begin()
    batch.begin()
    // As amqplib's multiplexer does, and later than the first `setImmediate` of the batch.
    process.nextTick(() => setImmediate(writeEach, socket, messages))
    for (let turns = 0; turns < 4; turns++) await turn()
  }
  expect(socket.packets).toEqual([
    ['a', 'b'],
    ['c', 'd', 'e'],
  ])
})

test('without a socket it does nothing', () => {
  expect(() => new WriteBatch(createModel(undefined)).begin()).not.toThrow()
})
