using System.Text;
using ModelDsl.Runtime.Tokenization.Patterns;

namespace ModelDsl.Runtime.Tokenization.Normalizers;

/// <summary>A change made to text before it is cut.</summary>
internal abstract record Normalizer
{
    /// <exception cref="NotSupportedException">The change needs Unicode data this process does not have.</exception>
    public abstract string Apply(string text);

    public sealed record Lowercase : Normalizer
    {
        public override string Apply(string text) => text.ToLowerInvariant();
    }

    public sealed record Prepend(string Prefix) : Normalizer
    {
        public override string Apply(string text) => text.Length == 0 ? text : Prefix + text;
    }

    public sealed record Strip(bool Left, bool Right) : Normalizer
    {
        public override string Apply(string text)
        {
            text = Left ? text.TrimStart() : text;
            return Right ? text.TrimEnd() : text;
        }
    }

    /// <summary>Replaces every match of an expression.</summary>
    public sealed record Replace(Pattern Pattern, string Content) : Normalizer
    {
        public override string Apply(string text)
        {
            using var scanner = Pattern.Scan(text);
            var result = new StringBuilder();
            var end = 0;
            while (scanner.MoveNext())
            {
                result.Append(text, end, scanner.Start - end).Append(Content);
                end = scanner.End;
            }

            return end == 0 && result.Length == 0 ? text : result.Append(text, end, text.Length - end).ToString();
        }
    }

    /// <summary>One of the four Unicode normalization forms.</summary>
    public sealed record UnicodeForm(NormalizationForm Form) : Normalizer
    {
        // Under invariant globalization .NET returns the text as it came, and says nothing.
        private static readonly bool Works = "e\u0301".Normalize(NormalizationForm.FormC).Length == 1;

        public override string Apply(string text)
        {
            if (Form == NormalizationForm.FormC ? ComposedText.IsComposed(text) : Ascii.IsValid(text))
                return text;
            if (!Works)
                throw new NotSupportedException(
                    $"the text needs Unicode normalization ({Form}), which .NET does not do under invariant globalization; "
                    + "set InvariantGlobalization to false");
            return new string(Clean(text)).Normalize(Form);
        }

        /// <summary>Normalization refuses lone surrogates, which encode as U+FFFD anyway.</summary>
        private static char[] Clean(string text)
        {
            var units = text.ToCharArray();
            for (var i = 0; i < units.Length; i++)
            {
                var isLone = Utf16.CodePointAt(text, i, out var length) == 0xFFFD;
                if (isLone)
                    units[i] = '\uFFFD';
                i += length - 1;
            }

            return units;
        }
    }
}
