// Answers JSON questions, one a line: {"ask": name, ...} becomes {"answer": ...} or {"refused": why}.
import { createInterface } from "node:readline";

export async function serve(functions) {
  for await (const line of createInterface({ input: process.stdin })) {
    const { ask, ...given } = JSON.parse(line);
    let said;
    try {
      said = { answer: (await functions[ask](given)) ?? null };
    } catch (error) {
      said = { refused: String(error.message) };
    }
    process.stdout.write(JSON.stringify(said) + "\n");
  }
}
