// @ts-check
import process from 'node:process'

/** The environment of the scripts; they look at it here only. */
export const environment = process.env
