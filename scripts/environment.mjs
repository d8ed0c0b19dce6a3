// @ts-check
import process from 'node:process'

/** The environment of the scripts; they look at it here only. */
// biome-ignore lint/style/noProcessEnv: the one place that reads it
export const environment = process.env
