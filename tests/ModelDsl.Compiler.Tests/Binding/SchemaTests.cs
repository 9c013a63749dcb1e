using ModelDsl.Compiler.Binding.Schema;
using ModelDsl.Testing;

namespace ModelDsl.Compiler.Tests.Binding;

public class SchemaTests
{
    [Theory]
    [InlineData("model")]
    [InlineData("model.attention.q_rank")]
    [InlineData("model.layers.moe.groups")]
    [InlineData("train.rate.warmup")]
    [InlineData("serve.decode")]
    public Task Explained(string path) => Verifier.Verify(SchemaText.Explain(path, out _)!, suffix: path);

    [Theory]
    [InlineData("modle", "did you mean 'model'?")]
    [InlineData("model.attention.q_rnk", "did you mean 'q_rank'?")]
    [InlineData("model.attention.q_rank.more", "'q_rank' is an attribute and holds nothing")]
    public void UnknownPathsAreAnswered(string path, string hint)
    {
        Assert.Null(SchemaText.Explain(path, out var given));
        Assert.Equal(hint, given);
    }

    [Fact]
    public void Completion() => Assert.Equal(
        ["depth"], SchemaText.Completions("model.mtp").Select(c => c.Name));

    /// <summary>Every row says what it is, and names do not collide within a block.</summary>
    [Fact]
    public void RowsAreDocumentedAndUnique()
    {
        var open = new Queue<BlockSchema>(Schemas.All);
        while (open.TryDequeue(out var block))
        {
            var names = block.Attributes.Select(a => a.Name).Concat(block.Blocks.Select(b => b.Block.Name))
                .Concat(block.Steps.Select(s => s.Name)).ToArray();
            Assert.Equal(names.Distinct(), names);
            Assert.All(block.Attributes, a => Assert.False(string.IsNullOrWhiteSpace(a.Doc), $"{block.Name}.{a.Name}"));
            foreach (var child in block.Blocks) open.Enqueue(child.Block);
        }
    }
}
