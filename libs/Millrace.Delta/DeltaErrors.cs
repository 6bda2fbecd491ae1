using Millrace.Primitives;

namespace Millrace.Delta;

/// <summary>Errors of Delta tables.</summary>
public static class DeltaErrors
{
    public static readonly ErrorDefinition EntryDamaged = new("DL-0001",
        "An entry of the table's log cannot be read.",
        "It is not the JSON lines that the Delta protocol says, so what the table holds is not known.",
        "Restore the object from a backup; nothing is written to the table until it can be read.");

    public static readonly ErrorDefinition EntryMissing = new("DL-0002",
        "The table's log has a gap.",
        "Its entries are numbered from 0 without a gap; one that is missing hides files that were added or removed.",
        "Restore the missing object from a backup.");

    public static readonly ErrorDefinition Unsupported = new("DL-0003",
        "The table asks for more of the Delta protocol than is built in.",
        "Millrace reads tables of reader version 1, writes those of writer version 2, and knows its own column types.",
        "Undo the table's upgrade, or move the table away so that a new one is made.");

    public static readonly ErrorDefinition SchemaConflict = new("DL-0004",
        "A column of the table has another type than the configuration says.",
        "Files that were written keep their types, so a column's type cannot change.",
        "Choose another name for the column, or the type that it has.");

    public static readonly ErrorDefinition CommitFailed = new("DL-0005",
        "The table's log could not be written.",
        "The object store refused again and again; the table is unchanged or holds the whole commit.",
        "See what the object store says; the writer starts again from the table by itself.");

    public static readonly ErrorDefinition VersionGone = new("DL-0006",
        "The table has no such version.",
        "It was never written, or the log was cleaned up past it.",
        "Choose a version that the table's history shows.");

    public static readonly ErrorDefinition FileVacuumed = new("DL-0007",
        "The version's files are not there any more.",
        "Vacuum deleted a file that the version has, after it was removed from the table.",
        "Choose a newer version; a larger Delta:VacuumSafeAge keeps the files of older ones from now on.");
}
