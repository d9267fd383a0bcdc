// What the picture and its copy to keep have in common.

export const SVG = "http://www.w3.org/2000/svg";
export const ROW = 26; // pixels from word to word
export const SIDES = ["query", "key"];

export const svgElement = (tag, attributes) => {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  return node;
};
