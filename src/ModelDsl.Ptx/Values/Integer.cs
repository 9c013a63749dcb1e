using ModelDsl.Ptx.Instructions;

namespace ModelDsl.Ptx.Values;

/// <summary>Integer arithmetic for all widths: folds constants, fuses multiply and add, turns powers of two into shifts.</summary>
internal static class Integer
{
    public static T Add<T>(T a, T b) where T : Value
    {
        if (Fold(a, b, (x, y) => x + y) is { } folded) return folded;
        if (a.ConstantBits is { }) (a, b) = (b, a);
        if (b.ConstantBits == 0) return a;
        var k = Value.BuilderOf(a, b);
        // Constants go outwards: (x + c1) + c2 is one addition, and x + (y + c) ends in one that an address can swallow.
        if (ConstantPart(k, a) is { } left)
            return b.ConstantBits is { } more
                ? Add(left.Variable, Constant<T>(left.Part + more))
                : Add(Add(left.Variable, b), Constant<T>(left.Part));
        if (ConstantPart(k, b) is { } right) return Add(Add(a, right.Variable), Constant<T>(right.Part));
        return Fuse(k, a, b) ?? Fuse(k, b, a) ?? k.Emit<T>($"add.{a.Type}", a, b);
    }

    /// <summary>The two sides of a value that was made by adding a constant, alone or to a product.</summary>
    public static (T Variable, ulong Part)? ConstantPart<T>(KernelBuilder k, T value) where T : Value => k.DefinitionOf(value) switch
    {
        { Opcode: "add" } sum when sum.Sources[1] is ImmediateOperand part => (Wrap<T>(k, sum.Sources[0]), part.Bits),
        { Opcode: "mad" } sum when sum.Name.StartsWith("mad.lo.", StringComparison.Ordinal) && sum.Sources[2] is ImmediateOperand part =>
            (Multiply(Wrap<T>(k, sum.Sources[0]), Wrap<T>(k, sum.Sources[1])), part.Bits),
        _ => null,
    };

    /// <summary><c>x*y + c</c> as one instruction, if <paramref name="product"/> was just multiplied.</summary>
    private static T? Fuse<T>(KernelBuilder k, T product, T addend) where T : Value
    {
        if (k.DefinitionOf(product) is not { } definition) return null;
        if (definition.Opcode == "mul" && definition.Modifiers[0] == "lo")
            return k.Emit<T>($"mad.lo.{product.Type}", Wrap<T>(k, definition.Sources[0]), Wrap<T>(k, definition.Sources[1]), addend);
        if (definition.Opcode == "mul" && definition.Modifiers[0] == "wide")
            return k.EmitRaw<T>($"mad.{string.Join(".", definition.Modifiers)}", definition.Sources[0], definition.Sources[1],
                addend.Operand);
        if (definition.Opcode == "shl" && definition.Sources[1] is ImmediateOperand bits && !addend.IsConstant)
            return k.Emit<T>($"mad.lo.{product.Type}", Wrap<T>(k, definition.Sources[0]), Constant<T>(1ul << (int)bits.Bits), addend);
        return null;
    }

    public static T Subtract<T>(T a, T b) where T : Value
    {
        if (Fold(a, b, (x, y) => x - y) is { } folded) return folded;
        if (b.ConstantBits is { } c) return Add(a, Constant<T>(0 - c));
        var k = Value.BuilderOf(a, b);
        return a.ConstantBits == 0 && a.Type.IsSigned ? k.Emit<T>($"neg.{a.Type}", b) : k.Emit<T>($"sub.{a.Type}", a, b);
    }

    public static T Multiply<T>(T a, T b) where T : Value
    {
        if (Fold(a, b, (x, y) => x * y) is { } folded) return folded;
        if (a.ConstantBits is { }) (a, b) = (b, a);
        if (b.ConstantBits == 1) return a;
        if (b.ConstantBits == 0) return b;
        if (b.ConstantBits is { } factor && ConstantPart(Value.BuilderOf(a, b), a) is { } sum)
            return Add(Multiply(sum.Variable, b), Constant<T>(sum.Part * factor));
        return PowerOfTwo(b) is { } bits ? ShiftLeft(a, bits) : Value.BuilderOf(a, b).Emit<T>($"mul.lo.{a.Type}", a, b);
    }

    public static T Divide<T>(T a, T b) where T : Value
    {
        if (b.ConstantBits == 0) throw new PtxException("division by the constant zero");
        if (b.ConstantBits == 1) return a;
        if (Signed(a) is { } x && Signed(b) is { } y) return Constant<T>((ulong)(a.Type.IsSigned ? x / y : (long)((ulong)x / (ulong)y)));
        return PowerOfTwo(b) is { } bits ? ShiftRight(a, bits) : Value.BuilderOf(a, b).Emit<T>($"div.{a.Type}", a, b);
    }

    public static T Remainder<T>(T a, T b) where T : Value
    {
        if (b.ConstantBits == 0) throw new PtxException("remainder by the constant zero");
        if (b.ConstantBits == 1) return Constant<T>(0);
        if (Signed(a) is { } x && Signed(b) is { } y) return Constant<T>((ulong)(a.Type.IsSigned ? x % y : (long)((ulong)x % (ulong)y)));
        return PowerOfTwo(b) is { } ? And(a, Constant<T>(b.ConstantBits!.Value - 1)) : Value.BuilderOf(a, b).Emit<T>($"rem.{a.Type}", a, b);
    }

    public static T And<T>(T a, T b) where T : Value => Bits("and", a, b, (x, y) => x & y);

    public static T Or<T>(T a, T b) where T : Value => Bits("or", a, b, (x, y) => x | y);

    public static T Xor<T>(T a, T b) where T : Value => Bits("xor", a, b, (x, y) => x ^ y);

    public static T Not<T>(T a) where T : Value =>
        a.ConstantBits is { } c ? Constant<T>(~c) : a.Builder!.Emit<T>($"not.b{a.Type.Bits}", a);

    public static T ShiftLeft<T>(T a, S32 bits) where T : Value
    {
        if (bits.Constant == 0) return a;
        if (a.ConstantBits is { } c && bits.Constant is { } n) return Constant<T>(c << n);
        return Value.BuilderOf(a, bits).Emit<T>($"shl.b{a.Type.Bits}", a, bits);
    }

    public static T ShiftRight<T>(T a, S32 bits) where T : Value
    {
        if (bits.Constant == 0) return a;
        if (Signed(a) is { } c && bits.Constant is { } n)
            return Constant<T>(a.Type.IsSigned ? (ulong)(c >> n) : a.ConstantBits!.Value >> n);
        return Value.BuilderOf(a, bits).Emit<T>($"shr.{a.Type}", a, bits);
    }

    public static Pred Compare<T>(string relation, T a, T b) where T : Value
    {
        if (Signed(a) is { } x && Signed(b) is { } y)
        {
            var order = a.Type.IsSigned ? x.CompareTo(y) : ((ulong)x).CompareTo((ulong)y);
            return relation switch
            {
                "lt" => order < 0, "le" => order <= 0, "gt" => order > 0, "ge" => order >= 0, "eq" => order == 0, _ => order != 0,
            };
        }

        return Value.BuilderOf(a, b).Emit<Pred>($"setp.{relation}.{a.Type}", a, b);
    }

    private static T Bits<T>(string operation, T a, T b, Func<ulong, ulong, ulong> fold) where T : Value =>
        Fold(a, b, fold) ?? Value.BuilderOf(a, b).Emit<T>($"{operation}.b{a.Type.Bits}", a, b);

    private static T? Fold<T>(T a, T b, Func<ulong, ulong, ulong> fold) where T : Value =>
        a.ConstantBits is { } x && b.ConstantBits is { } y ? Constant<T>(fold(x, y)) : null;

    private static T Constant<T>(ulong bits) where T : Value
    {
        var element = Element<T>.Value;
        return element.Wrap(null, new ImmediateOperand(element.Register.Bits == 64 ? bits : (uint)bits, element.Register));
    }

    private static long? Signed(Value value) =>
        value.ConstantBits is not { } bits ? null : value.Type is { IsSigned: true, Bits: 32 } ? (int)bits : (long)bits;

    private static int? PowerOfTwo(Value value)
    {
        if (value.ConstantBits is not { } bits || bits == 0 || (bits & (bits - 1)) != 0) return null;
        if (bits >> (value.Type.Bits - 1) != 0) return null;
        var n = 0;
        while (bits >> n != 1) n++;
        return n;
    }

    private static T Wrap<T>(KernelBuilder k, Operand operand) where T : Value => Element<T>.Value.Wrap(k, operand);
}
