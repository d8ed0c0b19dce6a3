// @ts-check
import { statfsSync } from 'node:fs'
import { findExisting } from './paths.mjs'

/**
 * @param {string} directory need not exist yet
 * @returns {number} how much of its disk is free
 */
export function readFreeMb(directory) {
  const { bavail, bsize } = statfsSync(findExisting(directory))
  return Math.floor((bavail * bsize) / 2 ** 20)
}

/**
 * @param {string} directory
 * @param {{ neededMb: number, what: string, instead?: string }} need `instead`: what helps but freeing some
 * @throws Error if there is not enough room
 */
export function assertRoom(directory, { neededMb, what, instead = '' }) {
  const freeMb = readFreeMb(directory)
  if (freeMb >= neededMb) return
  throw new Error(
    `The disk of ${directory} is full: ${freeMb} MB are free, and ${what} need ${neededMb} MB; free some${instead}.`,
  )
}
