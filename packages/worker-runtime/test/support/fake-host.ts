import { EventEmitter } from 'node:events'
import type { ProcessHost } from '../../src/shutdown.js'

export interface FakeHost extends ProcessHost {
  readonly signals: EventEmitter
  readonly printed: string[]
  /** As set; undefined as long as nothing was. */
  exitCode: number | undefined
  /** The codes of the forced exits. */
  readonly exits: number[]
  readonly listenerCount: number
}

/** A process that a test can send signals to and that never ends. */
export function createFakeHost(): FakeHost {
  const signals = new EventEmitter()
  const printed: string[] = []
  const exits: number[] = []
  return {
    signals,
    printed,
    exits,
    exitCode: undefined,
    get listenerCount() {
      return signals.eventNames().reduce((sum, name) => sum + signals.listenerCount(name), 0)
    },
    printError: (text) => void printed.push(text),
    setExitCode(code) {
      this.exitCode = code
    },
    exit: (code) => void exits.push(code),
    activeResources: () => ['Timeout'],
  }
}
