namespace ModelDsl.Testing;

/// <summary>Where the tests find the files of the checkout they were built from.</summary>
public static class Repository
{
    /// <summary>The folder that holds <c>ModelDsl.sln</c>.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>The folder <c>shared</c> beside the repository, or null where there is none.</summary>
    public static string? Shared { get; } = FindShared();

    /// <summary>A path inside the repository, from its parts.</summary>
    public static string PathTo(params string[] parts) => Path.Combine([Root, .. parts]);

    /// <summary>A path inside <see cref="Shared"/>; only tests that skip without it may ask.</summary>
    /// <exception cref="InvalidOperationException">There is no shared folder.</exception>
    public static string SharedPath(params string[] parts) =>
        Path.Combine([Shared ?? throw new InvalidOperationException("No shared folder beside the repository."), .. parts]);

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "ModelDsl.sln")))
                return folder.FullName;
        throw new InvalidOperationException($"No ModelDsl.sln above {AppContext.BaseDirectory}.");
    }

    private static string? FindShared()
    {
        var beside = Path.Combine(Path.GetDirectoryName(Root) ?? Root, "shared");
        return Directory.Exists(beside) ? beside : null;
    }
}
