using System.Globalization;
using System.Text;
using ModelDsl.Compiler.Graph;

namespace ModelDsl.Compiler.HostCode;

/// <summary>Spelling of names, numbers and sizes in C#.</summary>
internal static class CSharp
{
    // What the generated file itself refers to, and a model's class must therefore not be called.
    private static readonly HashSet<string> Taken = new(StringComparer.Ordinal)
    {
        "CacheLayout", "CausalLanguageModel", "Checkpoint", "Dim3", "IDevice", "IKernel", "KernelLibrary", "LoadProgress", "ModelLayout",
        "ModelOptions", "RopeLayout", "Step", "StorageType", "Tap", "WeightBinding", "WeightPart", "WeightScales", "WeightType",
        "Enumerable", "List", "Math", "Shared", "Load", "Plan", "Kernel", "Cache", "Weights", "Workspace", "Stream", "Layout", "Device",
        "System", "ModelDsl", "IReadOnlyList", "IProgress", "Pages", "Taps", "Cos", "Sin", "Prefill", "Decode", "Sample", "Generate",
        "DenseLayer", "MoeLayer", "MtpLayer", "MtpLayout", "Ptx", "EmbeddedKernels", "EmbeddedLibrary",
        CheckpointNames.Holder,
    };

    /// <summary>The class of a model: its name as C# wants it, <c>tiny-v3</c> as <c>TinyV3</c>.</summary>
    public static string ClassName(string model)
    {
        var name = Pascal(model);
        if (name.Length == 0 || char.IsDigit(name[0])) name = "Model" + name;
        return Taken.Contains(name) || ModelConstants.Names.Contains(name) ? name + "Model" : name;
    }

    /// <summary><c>experts.gate_up</c> as <c>ExpertsGateUp</c>.</summary>
    public static string Pascal(string name)
    {
        var text = new StringBuilder();
        var upper = true;
        foreach (var c in name)
        {
            var isWord = c is >= 'a' and <= 'z' or >= 'A' and <= 'Z' or >= '0' and <= '9';
            if (isWord) text.Append(upper ? char.ToUpperInvariant(c) : c);
            upper = !isWord;
        }
        return text.ToString();
    }

    /// <summary><c>tile_expert</c> as <c>tileExpert</c>.</summary>
    public static string Camel(string name)
    {
        var pascal = Pascal(name);
        return char.ToLowerInvariant(pascal[0]) + pascal.Substring(1);
    }

    /// <summary>With separators where there are many digits: <c>66_560</c>.</summary>
    public static string Number(long value) =>
        Math.Abs(value) < 10_000
            ? value.ToString(CultureInfo.InvariantCulture)
            : value.ToString("N0", CultureInfo.InvariantCulture).Replace(',', '_');

    public static string Float(float value) => value.ToString("G9", CultureInfo.InvariantCulture) + "f";

    public static string Text(string value) => "\"" + value.Replace("\\", "\\\\").Replace("\"", "\\\"") + "\"";

    /// <summary>A size as <c>int</c> over locals named like the symbols.</summary>
    public static string Int(Dim size) => Strip(size.ToCSharp());

    /// <summary>A number of bytes that may be beyond <c>int</c>: every product is one of <c>long</c>.</summary>
    public static string Long(Dim size) => size switch
    {
        ProductDim { Right: ConstantDim factor } product =>
            $"{Long(product.Left)} * {factor.Value.ToString(CultureInfo.InvariantCulture)}L",
        ProductDim product => $"{Long(product.Left)} * (long)({product.Right.ToCSharp()})",
        SumDim { Right: ProductDim { Right: ConstantDim { Value: -1 } } minus } sum => $"({Long(sum.Left)} - {Long(minus.Left)})",
        SumDim sum => $"({Long(sum.Left)} + {Long(sum.Right)})",
        _ => size.ToCSharp(),
    };

    private static string Strip(string text) =>
        text.StartsWith("(", StringComparison.Ordinal) && ClosesAtEnd(text) ? text.Substring(1, text.Length - 2) : text;

    private static bool ClosesAtEnd(string text)
    {
        var depth = 0;
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '(') depth++;
            else if (text[i] == ')' && --depth == 0) return i == text.Length - 1;
        }
        return false;
    }
}
