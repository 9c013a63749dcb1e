using ModelDsl.Ptx.Instructions;

namespace ModelDsl.Ptx.Values;

/// <summary>IEEE half precision.</summary>
public sealed class F16 : Value
{
    internal F16(KernelBuilder? builder, Operand operand) : base(builder, operand, ScalarType.F16) { }
}

/// <summary>The upper half of a float: 8 exponent bits, 7 of mantissa.</summary>
public sealed class BF16 : Value
{
    internal BF16(KernelBuilder? builder, Operand operand) : base(builder, operand, ScalarType.BF16) { }
}

/// <summary>Two halves; the first in memory is in the low bits.</summary>
public sealed class F16x2 : Value
{
    internal F16x2(KernelBuilder? builder, Operand operand) : base(builder, operand, ScalarType.F16x2) { }
}

/// <summary>Two BF16; the first in memory is in the low bits.</summary>
public sealed class BF16x2 : Value
{
    internal BF16x2(KernelBuilder? builder, Operand operand) : base(builder, operand, ScalarType.BF16x2) { }
}

/// <summary>One float of 4 exponent and 3 mantissa bits: no infinity, largest 448. In the low byte of a 16-bit register.</summary>
public sealed class E4M3 : Value
{
    internal E4M3(KernelBuilder? builder, Operand operand) : base(builder, operand, ScalarType.B16) { }
}

/// <summary>One float of 5 exponent and 2 mantissa bits: largest 57344. In the low byte of a 16-bit register.</summary>
public sealed class E5M2 : Value
{
    internal E5M2(KernelBuilder? builder, Operand operand) : base(builder, operand, ScalarType.B16) { }
}

/// <summary>Two E4M3; the first in memory is in the low byte.</summary>
public sealed class E4M3x2 : Value
{
    internal E4M3x2(KernelBuilder? builder, Operand operand) : base(builder, operand, ScalarType.E4M3x2) { }
}

/// <summary>Two E5M2; the first in memory is in the low byte.</summary>
public sealed class E5M2x2 : Value
{
    internal E5M2x2(KernelBuilder? builder, Operand operand) : base(builder, operand, ScalarType.E5M2x2) { }
}

/// <summary>Four E4M3; the first in memory is in the lowest byte.</summary>
public sealed class E4M3x4 : Value
{
    internal E4M3x4(KernelBuilder? builder, Operand operand) : base(builder, operand, ScalarType.B32) { }
}

/// <summary>Four E5M2; the first in memory is in the lowest byte.</summary>
public sealed class E5M2x4 : Value
{
    internal E5M2x4(KernelBuilder? builder, Operand operand) : base(builder, operand, ScalarType.B32) { }
}
