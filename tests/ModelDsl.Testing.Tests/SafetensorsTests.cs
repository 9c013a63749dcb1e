using System.Text;

namespace ModelDsl.Testing.Tests;

public class SafetensorsTests
{
    [Fact]
    public void ReadsEveryKindOfNumberExactly()
    {
        var header = """
            {"__metadata__":{"format":"pt"},
             "b":{"dtype":"BF16","shape":[1,2],"data_offsets":[0,4]},
             "q":{"dtype":"F8_E4M3","shape":[6],"data_offsets":[4,10]},
             "i":{"dtype":"I64","shape":[1],"data_offsets":[10,18]}}
            """;
        byte[] data = [0x80, 0x3f, 0x20, 0xc1, 0x00, 0x01, 0x38, 0x7e, 0xbc, 0x7f, 7, 0, 0, 0, 0, 0, 0, 0];
        var file = Path.GetTempFileName();
        File.WriteAllBytes(file, [.. BitConverter.GetBytes((long)header.Length), .. Encoding.UTF8.GetBytes(header), .. data]);

        var tensors = Safetensors.Load(file);
        File.Delete(file);

        Assert.Equal([1f, -10f], tensors["b"].Floats());
        Assert.Equal([1, 2], tensors["b"].Shape);
        Assert.Equal([0f, 1f / 512, 1f, 448f, -1.5f, float.NaN], tensors["q"].Floats());
        Assert.Equal([7], tensors["i"].Ints());
        Assert.Throws<InvalidOperationException>(() => tensors["i"].Floats());
    }

    [Fact]
    public void TheGoldensAreWhole()
    {
        var checkpoint = Safetensors.LoadFolder(GoldenModel.Micro.Checkpoint);

        Assert.Equal([2, 48, 256], GoldenModel.Micro.Tensors["logits"].Shape);
        Assert.Equal([256, 128], checkpoint["model.embed_tokens.weight"].Shape);
        Assert.Equal("F32", checkpoint["model.layers.1.mlp.gate.e_score_correction_bias"].Dtype);
        Assert.Equal(8, GoldenModel.Variants.Count);
        Assert.All(GoldenModel.Variants, name => Assert.Equal([2, 12], GoldenModel.Variant(name).Tensors["greedy.tokens"].Shape));
    }
}
