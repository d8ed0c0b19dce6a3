// @ts-check

/** @import { Message, PendingMessage } from './types.js' */

/**
 * The fate of a message that has no place in its conversation yet.
 *
 * - `queued`: it waits for the one before, so that the conversation keeps the order of writing
 * - `sending`: the server is being asked
 * - `unknown`: the server may have accepted it; it is sent again, with the same id
 * - `not-accepted`: it is on this page and nowhere else
 * - `waiting`, `sent`, `refused`: accepted, as `PendingMessage` says
 *
 * @typedef {'queued' | 'sending' | 'unknown' | 'not-accepted' | PendingMessage['state']} OutgoingState
 */

/**
 * `mayBeAccepted`: the server was asked and did not say no, so nobody may call it not accepted.
 *
 * @typedef {Message & { state: OutgoingState, reason: string, mayBeAccepted: boolean }} Outgoing
 */

/** @param {Pick<Outgoing, 'state'>} message */
export const isAccepted = ({ state }) => state === 'waiting' || state === 'sent' || state === 'refused'
