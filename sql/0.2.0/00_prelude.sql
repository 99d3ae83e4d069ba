-- The files of this folder, in the order of their numbers, are the script that updates 0.1.0 to 0.2.0.
\echo Use "ALTER EXTENSION vector_ext UPDATE" to load this file. \quit
