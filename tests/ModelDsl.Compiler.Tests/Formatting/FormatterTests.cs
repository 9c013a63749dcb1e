using System.Text.RegularExpressions;
using ModelDsl.Compiler.Formatting;
using ModelDsl.Compiler.Syntax;
using ModelDsl.Testing;

namespace ModelDsl.Compiler.Tests.Formatting;

public class FormatterTests
{
    [Fact]
    public Task DeepSeekV3() => Verifier.Verify(Format(Binding.Program.DeepSeekV3), "dsm");

    [Fact]
    public void MeaningStays()
    {
        var before = Binding.Program.Good(Binding.Program.DeepSeekV3);
        var after = Binding.Program.Good(Format(Binding.Program.DeepSeekV3));
        Assert.Equal(before.Models.AsEnumerable(), after.Models);
        Assert.Equal(before.Precisions.AsEnumerable(), after.Precisions);
        Assert.Equal(before.Trains.AsEnumerable(), after.Trains);
        Assert.Equal(before.Serves.AsEnumerable(), after.Serves);
    }

    [Fact]
    public void UntidyText() => Assert.Equal(
        """
        // top
        use "base.dsm"

        param a     = 7
        param longer = a * (2 + 3)  // half

        model M from B {  // behind the brace
          // first
          vocabulary = 256
          hidden     = -128  /* odd */

          attention mla { heads = 2, kv_rank = 64 }  // on one line
          layers 0..2 {
            dense { width = 12 }
          }
          // last
        }

        // end

        """.Replace("param a     =", "param a      ="),
        Format("""


        // top
          use   "base.dsm"

        param a=7
        param longer = a*( 2+3 )// half
        model M
          from B { // behind the brace
        // first
            vocabulary=256
            hidden = -128 /* odd */


            attention   mla {heads=2,kv_rank=64,}  // on one line
            layers 0..2 {
              dense {width= 12}
            }
            // last
        }

        // end
        """));

    [Fact]
    public void CommentsInOddPlaces()
    {
        var text = Format("""
            /* a */ model /* b */ M /* c */ { /* d */ hidden /* e */ = /* f */ 128 /* g */, /* h */
            gate = sigmoid( // i
              scale: 1) // j
            mtp /* k */ { depth = 1 /* l */ } // m
            /* n */ } // o
            """);
        foreach (var c in "abcdefghijklmno") Assert.Single(Regex.Matches(text, $@"(/\*|//) {c}\b"));
        Assert.Equal(text, Format(text));
    }

    [Fact]
    public void BrokenTextStaysAsItIs()
    {
        const string Text = "model M {\n  hidden = \n}";
        var result = Formatter.Format(SourceText.From("x.dsm", Text));
        Assert.False(result.Succeeded);
        Assert.Equal(Text, result.Text);
    }

    [Fact]
    public void WindowsLineEnds() => Assert.Equal("param a = 1\nparam b = 2\n", Format("param a=1\r\nparam b=2\r\n"));

    private static string Format(string text)
    {
        var result = Formatter.Format(SourceText.From("x.dsm", text));
        Assert.True(result.Succeeded, string.Join("\n", result.Diagnostics));
        Assert.Equal(result.Text, Formatter.Format(SourceText.From("x.dsm", result.Text)).Text);
        return result.Text;
    }
}
