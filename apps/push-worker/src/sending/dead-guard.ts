import type { Logger } from '@mono/message-queue'
import type { Channel } from '../device.js'
import { AnswerWindow } from './answer-window.js'

export interface DeadGuardOptions {
  channel: Channel
  logger: Logger
  /** Milliseconds since 1970. */
  now?: () => number
}

/**
 * Doubts a channel, or one of its origins, that calls too many devices dead: then a host, a topic or a key is wrong, and
 * not the devices. Whoever was not disabled is found again by the next notification.
 */
export interface DeadGuard {
  /** Too many of the answers of the last minute were "dead". */
  readonly doubts: boolean
  /** Notes an answer of an origin. True if the device is dead and the origin is to be believed. */
  believes(origin: string, answer: { isDead: boolean }): boolean
}

/** Fewer may be the devices of a few users who have all left. */
const deadToDoubt = 20

/** Most of the devices that may be dead. */
const deadShare = 1 / 5

/** Between two log lines, in seconds. */
const silenceSeconds = 60

/** Origins come from endpoints, and one of the known push services has any number of host names. */
const originsToKeep = 1000

const whole = 'all'

export function createDeadGuard({ channel, logger, now = Date.now }: DeadGuardOptions): DeadGuard {
  /** By origin, and of the whole channel. */
  const windows = new Map<string, AnswerWindow>()
  let saidAtSecond: number | undefined

  function windowOf(name: string): AnswerWindow {
    const known = windows.get(name)
    if (known) return known
    if (windows.size > originsToKeep) windows.clear()
    const window = new AnswerWindow()
    windows.set(name, window)
    return window
  }

  function say(second: number, origin: string, counts: { answers: number; dead: number }): void {
    if (saidAtSecond !== undefined && second < saidAtSecond + silenceSeconds) return
    saidAtSecond = second
    logger.error(
      { channel, origin, ...counts },
      'More than a fifth of the devices of a channel are called dead: no more of them are disabled. See whether its host, topic and key are right',
    )
  }

  const toSecond = () => Math.floor(now() / 1000)

  return {
    get doubts() {
      const second = toSecond()
      return [...windows.values()].some((window) => isTooMuch(window.count(second)))
    },
    believes(origin, answer) {
      const second = toSecond()
      const both = [windowOf(origin), windowOf(whole)]
      for (const window of both) window.add(second, answer)
      if (!answer.isDead) return false
      const doubted = both.map((window) => window.count(second)).find(isTooMuch)
      if (doubted === undefined) return true
      say(second, origin, doubted)
      return false
    },
  }
}

/** A share that is a fifth in the end may be more for a while: twice the standard deviation is allowed. */
function isTooMuch({ answers, dead }: { answers: number; dead: number }): boolean {
  const chance = 2 * Math.sqrt(answers * deadShare * (1 - deadShare))
  return dead > deadToDoubt && dead > answers * deadShare + chance
}
