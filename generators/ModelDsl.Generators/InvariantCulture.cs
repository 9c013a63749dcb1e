using System.Globalization;

namespace ModelDsl.Generators;

/// <summary>Runs a step so that numbers are spelled the same on every machine.</summary>
internal static class InvariantCulture
{
    public static T Run<T>(Func<T> step)
    {
#pragma warning disable RS1035 // The culture is set to a fixed one, and put back; nothing depends on what it was.
        var before = CultureInfo.CurrentCulture;
        CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
        try
        {
            return step();
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
#pragma warning restore RS1035
    }
}
