// @ts-check
import { environment } from '../scripts/environment.mjs'

// Before anything reads it: broker and database that are broken here are never those of `npm start`.
environment.MONO_LOCAL_DIRECTORY = '.local/chaos'
