// @ts-check
import { existsSync, readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { environment } from '../scripts/environment.mjs'
import { startScript } from '../scripts/start-script.mjs'

/**
 * @typedef {object} PublisherTask
 * @property {string} url of the broker
 * @property {Partial<Record<import('../scripts/workers.mjs').QueueName, number>>} counts messages by queue
 * @property {number} [firstShare] of each queue's messages; default 0.7
 * @property {{ first: number, rest: number }} seconds over which most of them, and then the rest, are spread
 * @property {string} journalFile
 *
 * What an application was told of one message.
 * @typedef {object} Published
 * @property {string} id
 * @property {import('../scripts/workers.mjs').QueueName} queue
 * @property {string} [conversation] in which it was sent when the outcome of its predecessor was known
 * @property {'confirmed' | 'refused' | 'unknown'} outcome
 * @property {number} timeouts how often its outcome was unknown before
 * @property {string} [code] of the last error
 * @property {number} sentAt of the first try, in milliseconds since 1970
 * @property {number} settledAt
 * @property {number} longestMs the longest of its tries took
 *
 * @typedef {object} Publisher
 * @property {Promise<void>} connected
 * @property {Promise<Published[]>} done the messages of each conversation in the order in which they were sent
 * @property {() => number} countSettled messages whose outcome is known
 * @property {() => void} sendRest
 * @property {() => void} freeze SIGSTOP
 * @property {() => void} thaw
 */

/**
 * @param {PublisherTask} task
 * @returns {Publisher}
 */
export function startPublisher(task) {
  const { child, ended } = startScript('chaos/publisher-process.mjs', {
    args: [JSON.stringify(task)],
    env: { PATH: environment.PATH },
  })
  const connected = Promise.race([ended, new Promise((resolve) => child.stdout?.once('data', resolve))])
  const done = ended.then(() => readJournal(task.journalFile))
  done.catch(() => {})
  return {
    connected: connected.then(() => {}),
    done,
    countSettled: () =>
      existsSync(task.journalFile) ? readFileSync(task.journalFile, 'latin1').split('\n').length - 1 : 0,
    sendRest: () => void child.stdin?.write('rest\n'),
    freeze: () => void child.kill('SIGSTOP'),
    thaw: () => void child.kill('SIGCONT'),
  }
}

/**
 * @param {string} file
 * @returns {Promise<Published[]>}
 */
async function readJournal(file) {
  const lines = (await readFile(file, 'utf8')).trim().split('\n')
  return lines.map((line) => JSON.parse(line))
}
