// @ts-check

/** @typedef {import('../scripts/workers.mjs').QueueName} QueueName */

/**
 * What can be arranged beforehand.
 * @typedef {object} Preparation
 * @property {import('./broker.mjs').Broker} broker
 * @property {import('./stage.mjs').Stage} stage
 * @property {number} messages how many are sent to each queue
 */

/**
 * What a fault can lay hands on.
 * @typedef {object} Run
 * @property {import('./broker.mjs').Broker} broker
 * @property {import('./database.mjs').DatabaseServer} database
 * @property {import('./fleet.mjs').Fleet} fleet
 * @property {import('./stage.mjs').Stage} stage
 * @property {import('./publisher.mjs').Publisher} publisher
 * @property {QueueName[]} queues those of this scenario
 * @property {import('./stray-messages.mjs').StrayMessages['sendPoison']} sendPoison what must be dead-lettered
 * @property {import('./stray-messages.mjs').StrayMessages['sendMutated']} sendMutated what may be done or dead-lettered
 * @property {import('./stray-messages.mjs').StrayMessages['sendNested']} sendNested what the broker must give up
 * @property {import('./stray-messages.mjs').StrayMessages['sendGood']} sendGood beside the publisher's
 * @property {import('./stray-messages.mjs').StrayMessages['listGood']} listGood
 * @property {import('./stray-messages.mjs').StrayMessages['takeForGood']} takeForGood
 * @property {number} seed of what can be repeated
 * @property {(ms: number) => Promise<void>} pause waits; in the short form not so long
 * @property {boolean} short whether this is the short form
 * @property {(line: string) => void} note for the report
 * @property {(line: string) => void} reportFault something that the numbers do not show is not as it must be
 */

/**
 * One thing that goes wrong while messages are sent to all queues and worked on.
 * @typedef {object} Scenario
 * @property {string} name
 * @property {string} what is done, for people
 * @property {number} seconds that the fault takes, about: the publisher sends for longer
 * @property {number} [shortSeconds] as `seconds`, in the short form; default 3
 * @property {number} [replicas] of each worker; default 2
 * @property {(run: Preparation) => Promise<void>} [prepare] before the first message is sent
 * @property {(run: Run) => Promise<void>} fault resolves when it is over
 * @property {QueueName[]} [queues] default: all
 * @property {QueueName[]} [shortQueues] as `queues`, in the short form
 * @property {Partial<Record<QueueName, number>>} [messages] at most, instead of the number of the run
 * @property {number} [goesOnWithin] seconds after the fault within which each queue must have had an effect
 * @property {number} [sendsAgainWithin] seconds after the fault within which the client must have sent a message
 * @property {Partial<Record<QueueName, string>>} [mayDoTwice] why it cannot be avoided
 * @property {number} [twiceAtMost] of each of these queues; default: all
 * @property {(queue: QueueName, index: number) => boolean} [mayGiveUp] which messages may be dead-lettered
 * @property {string[]} [givesUpAs] the codes, or the broker's reasons, of what may be given up
 * @property {boolean} [freezesPublisher] so that its sends may be late
 * @property {(queue: QueueName, index: number) => boolean} [mayHaveNobody] messages whose only recipient may have gone
 * @property {NodeJS.ProcessEnv} [environment] of the workers, beside their own
 * @property {boolean} [isTest] its short form takes less than 20 s and is run with the tests
 * @property {boolean} [onlyNamed] it is run only by its name
 * @property {boolean} [sendsAllMeanwhile] nothing is left to be sent after the fault
 * @property {{ name: import('@mono/test-support/mail-servers').MailServerName | 'scripted', authority: string }} [mailServer] one of
 *   Debian's, or one that plays it, in place of the mail catcher; at first it is away; the authority of its certificates, PEM
 * @property {boolean} [mayKillItself] workers may end by SIGKILL though nobody sent it
 * @property {boolean} [proxied] workers and publisher reach the broker through a proxy
 * @property {boolean} [databaseProxied] workers reach the database through a proxy
 */

export {}
