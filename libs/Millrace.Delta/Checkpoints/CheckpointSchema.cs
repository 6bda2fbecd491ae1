using ParquetSharp;
using ParquetSharp.Schema;

namespace Millrace.Delta.Checkpoints;

/// <summary>
/// The columns of a checkpoint (Delta protocol, "Checkpoint Schema"): a struct for each kind of action, of which each
/// row has one.
/// </summary>
internal static class CheckpointSchema
{
    public static GroupNode Build() => new("schema", Repetition.Required,
    [
        Struct("txn", Text("appId"), Long("version"), Long("lastUpdated")),
        Struct("add", Text("path"), Map("partitionValues"), Long("size"), Long("modificationTime"), Bool("dataChange"),
            Text("stats")),
        Struct("remove", Text("path"), Long("deletionTimestamp"), Bool("dataChange")),
        Struct("metaData", Text("id"), Struct("format", Text("provider"), Map("options")), Text("schemaString"),
            List("partitionColumns"), Map("configuration"), Long("createdTime")),
        Struct("protocol", Int("minReaderVersion"), Int("minWriterVersion")),
    ]);

    private static GroupNode Struct(string name, params Node[] fields) => new(name, Repetition.Optional, fields);

    private static PrimitiveNode Text(string name) =>
        new(name, Repetition.Optional, LogicalType.String(), PhysicalType.ByteArray);

    private static PrimitiveNode Long(string name) =>
        new(name, Repetition.Optional, LogicalType.None(), PhysicalType.Int64);

    private static PrimitiveNode Int(string name) =>
        new(name, Repetition.Optional, LogicalType.None(), PhysicalType.Int32);

    private static PrimitiveNode Bool(string name) =>
        new(name, Repetition.Optional, LogicalType.None(), PhysicalType.Boolean);

    private static GroupNode Map(string name) => new(name, Repetition.Optional,
    [
        new GroupNode("key_value", Repetition.Repeated,
        [
            new PrimitiveNode("key", Repetition.Required, LogicalType.String(), PhysicalType.ByteArray),
            Text("value"),
        ]),
    ], LogicalType.Map());

    private static GroupNode List(string name) => new(name, Repetition.Optional,
        [new GroupNode("list", Repetition.Repeated, [Text("element")])], LogicalType.List());
}
