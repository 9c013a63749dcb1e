using ModelDsl.Compiler.Specs;

namespace ModelDsl.Compiler.Scheduling;

/// <summary>
/// How to fill the cos and sin tables: entry <c>[p, i]</c> is <c>cos(p * InverseFrequencies[i]) * Factor</c>, product, cosine
/// and factor in float32.
/// </summary>
/// <param name="InverseFrequencies">Radians per position for each rotated pair; <c>rope_dim / 2</c> of them.</param>
/// <param name="Factor">YaRN's factor on cos and sin; 1 without.</param>
/// <param name="Positions">Rows of the tables.</param>
public sealed record RopeTable(EquatableArray<float> InverseFrequencies, float Factor, int Positions);
