// @ts-check

/** @typedef {import('./messages.mjs').QueueName} QueueName */

/**
 * What a fault can lay hands on.
 * @typedef {object} Run
 * @property {import('./broker.mjs').Broker} broker
 * @property {import('./database.mjs').DatabaseServer} database
 * @property {import('./fleet.mjs').Fleet} fleet
 * @property {import('./stage.mjs').Stage} stage
 * @property {number} messages how many are sent to each queue
 * @property {(queue: QueueName, id: string, body: string | Buffer, properties?: import('amqplib').Options.Publish) => Promise<void>} sendPoison
 *   by a plain AMQP client; it must be dead-lettered
 * @property {(line: string) => void} note for the report
 */

/**
 * One thing that goes wrong while messages are sent to all queues and worked on.
 * @typedef {object} Scenario
 * @property {string} name
 * @property {string} what is done, for people
 * @property {number} seconds that the fault takes, about: the publisher sends for longer
 * @property {(run: Run) => Promise<void>} fault resolves when it is over
 * @property {QueueName[]} [queues] default: all
 * @property {Partial<Record<QueueName, number>>} [messages] instead of the run's number
 * @property {number} [goesOnWithin] seconds after the fault within which each queue must have had an effect
 * @property {number} [settleSeconds] how long after the publisher's end all must be done; default 180
 * @property {Partial<Record<QueueName, string>>} [mayDoTwice] why it cannot be avoided
 * @property {boolean} [mayGiveUp] messages may be dead-lettered that are no poison
 * @property {boolean} [mayRemain] messages may still be queued at the end
 * @property {boolean} [proxied] workers and publisher reach the broker through a proxy
 */

export const seconds = (/** @type {number} */ count) => count * 1000
