import type { Logger } from '@mono/message-queue'
import type { Channel } from '../device.js'
import { AnswerWindow } from './answer-window.js'

export interface DeadGuardOptions {
  channel: Channel
  logger: Logger
  /** Milliseconds of a clock that never goes back. */
  now?: () => number
}

/**
 * Doubts a channel, or one of its origins, that calls too many devices dead: then a host, a topic or a key is wrong, and
 * not the devices. Whoever was not disabled is found again by the next notification.
 */
export interface DeadGuard {
  /** Too many of the last answers were "dead". */
  readonly doubts: boolean
  /** Notes an answer of an origin. True if the device is dead and the origin is to be believed. */
  believes(origin: string, answer: { deviceId: string; isDead: boolean }): boolean
}

/** Fewer may be the devices of a few users who have all left. */
const deadToDoubt = 20

/** Most of the devices that may be dead. */
const deadShare = 1 / 5

/** Between two log lines. */
const silenceMs = 60_000

/** Origins come from endpoints, and one of the known push services has any number of host names. */
const originsToKeep = 1000

const whole = 'all'

export function createDeadGuard({ channel, logger, now = () => performance.now() }: DeadGuardOptions): DeadGuard {
  /** By origin, and of the whole channel. */
  const windows = new Map<string, AnswerWindow>()
  let saidAt: number | undefined

  function windowOf(name: string): AnswerWindow {
    const known = windows.get(name)
    if (known) return known
    if (windows.size > originsToKeep) windows.clear()
    const window = new AnswerWindow()
    windows.set(name, window)
    return window
  }

  function say(time: number, origin: string, counts: { answers: number; dead: number }): void {
    if (saidAt !== undefined && time < saidAt + silenceMs) return
    saidAt = time
    logger.error(
      { channel, origin, ...counts },
      'More than a fifth of the devices of a channel are called dead: no more of them are disabled. See whether its host, topic and key are right',
    )
  }

  return {
    get doubts() {
      const time = now()
      return [...windows.values()].some((window) => isTooMuch(window.count(time)))
    },
    believes(origin, answer) {
      const time = now()
      const both = [windowOf(origin), windowOf(whole)]
      for (const window of both) window.add(time, answer)
      if (!answer.isDead) return false
      const doubted = both.map((window) => window.count(time)).find(isTooMuch)
      if (doubted === undefined) return true
      say(time, origin, doubted)
      return false
    },
  }
}

/** A share that is a fifth in the end may be more for a while: twice the standard deviation is allowed. */
function isTooMuch({ answers, dead }: { answers: number; dead: number }): boolean {
  const chance = 2 * Math.sqrt(answers * deadShare * (1 - deadShare))
  return dead > deadToDoubt && dead > answers * deadShare + chance
}
