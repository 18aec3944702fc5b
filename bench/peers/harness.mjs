// What the peers in JavaScript share: they read the workload (bench/workload_export.h), say `ready` when
// the rules are loaded, match the events for at most the seconds given, and leave what they found.
//
//   node PEER.mjs WORKLOAD OUTPUT SECONDS
//
// OUTPUT gets a line an event: the rules it starts. The last line on standard output is the result.
import { createReadStream, readFileSync, writeFileSync } from 'node:fs'
import { createInterface } from 'node:readline'

const [, , folder, output, seconds] = process.argv

// The fields that some rule reads.
export const fields = JSON.parse(readFileSync(`${folder}/fields.json`)).filter((field) => field.read)
export const typeOf = Object.fromEntries(fields.map((field) => [field.name, field.type]))

export async function eachRule (take) {
  for await (const line of createInterface({ input: createReadStream(`${folder}/rules.ndjson`) })) take(JSON.parse(line))
}

// Rules by the owner they are for; of all owners under `undefined`.
export async function rulesByOwner () {
  const shards = new Map()
  await eachRule((rule) => {
    if (!shards.has(rule.owner)) shards.set(rule.owner, [])
    shards.get(rule.owner).push(rule)
  })
  return shards
}

// Dates as numbers, for engines that compare nothing else.
export const dateNumber = (text) => Number(text.slice(0, 4)) * 10000 + Number(text.slice(5, 7)) * 100 + Number(text.slice(8, 10))

const processorSeconds = () => {
  const used = process.cpuUsage()
  return (used.user + used.system) / 1e6
}

// `match(event, found)` pushes the numbers of the rules that an event starts; it may be asynchronous.
export async function run (name, match) {
  // Bytes, as the other side has them.
  const whole = readFileSync(`${folder}/events.ndjson`)
  const events = []
  for (let begin = 0; begin < whole.length;) {
    const end = whole.indexOf(10, begin)
    events.push(whole.subarray(begin, end))
    begin = end + 1
  }
  console.log('ready')
  const asynchronous = match.constructor.name === 'AsyncFunction'
  const pass = async (until, note) => {
    const begin = processorSeconds()
    let done = 0
    while (done < events.length && (done === 0 || processorSeconds() < until)) {
      const found = []
      const event = JSON.parse(events[done].toString())
      if (asynchronous) await match(event, found)
      else match(event, found)
      if (note) note.push(found)
      ++done
    }
    return { done, microseconds: (processorSeconds() - begin) / done * 1e6 }
  }
  const begin = processorSeconds()
  const until = begin + Number(seconds)
  const notes = []
  const passes = [await pass(until, notes)]
  // The first pass of a fast engine is its warm-up.
  while (processorSeconds() - begin < 4 && processorSeconds() < until) passes.push(await pass(until))
  const complete = passes.filter((each) => each.done === passes[0].done)
  const measured = (complete.length > 1 ? complete.slice(1) : complete).map((each) => each.microseconds).sort((a, b) => a - b)
  writeFileSync(output, notes.map((found) => found.join(' ')).join('\n') + '\n')
  console.log(JSON.stringify({ name, events: passes[0].done, passes: measured.length, us: measured[measured.length >> 1] }))
  process.exit(0)
}
