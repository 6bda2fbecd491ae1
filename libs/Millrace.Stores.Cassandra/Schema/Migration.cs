namespace Millrace.Stores.Cassandra.Schema;

/// <summary>
/// One step of the schema. Its number is its place in the list, from 1. Each statement can be executed again (IF NOT
/// EXISTS): a process that dies in between leaves the rest to the next.
/// </summary>
internal sealed record Migration(string Name, params string[] Statements)
{
    /// <summary>
    /// Whether it waits until the upgrade is finalised, because versions that do not know it cannot do with it. What
    /// does not wait only adds.
    /// </summary>
    public bool AtFinalise { get; init; }
}
